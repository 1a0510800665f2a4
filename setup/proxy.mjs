/** The proxy that the environment names: programs other than Java read it there themselves. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { SetUpError } from './failure.mjs';

const ANSWER_MILLISECONDS = 5_000;
/** What programs read, in their order. */
const VARIABLES = ['HTTPS_PROXY', 'https_proxy'];

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {{ variable: string, hostname: string, port: number } | undefined}
 * @throws {SetUpError} when the variable holds no address
 */
function proxyOf(env) {
  const variable = VARIABLES.find((name) => env[name] !== undefined && env[name] !== '');
  const address = variable === undefined ? undefined : env[variable];
  if (variable === undefined || address === undefined) return undefined;
  const text = address.includes('://') ? address : `http://${address}`;
  if (!URL.canParse(text)) {
    throw new SetUpError(
      `${variable} is "${address}", which is no address of a proxy: set it to http://<host>:<port>.`,
    );
  }
  const url = new URL(text);
  const usualPort = url.protocol === 'https:' ? 443 : 80;
  return { variable, hostname: url.hostname, port: url.port === '' ? usualPort : Number(url.port) };
}

/**
 * Java's options for the machine's proxy.
 * @param {NodeJS.ProcessEnv} env
 * @returns {string[]}
 */
export function proxyOptions(env) {
  const proxy = proxyOf(env);
  if (proxy === undefined) return [];
  const direct = (env.NO_PROXY ?? env.no_proxy ?? '')
    .split(',')
    .map((host) => host.trim().replace(/^\./, '*.'))
    .filter((host) => host !== '');
  return [
    `-Dhttps.proxyHost=${proxy.hostname}`,
    `-Dhttps.proxyPort=${proxy.port}`,
    ...(direct.length === 0 ? [] : [`-Dhttp.nonProxyHosts=${direct.join('|')}`]),
  ];
}

/**
 * Package managers try again for minutes where a proxy does not answer, so it is asked first.
 * @param {NodeJS.ProcessEnv} env
 * @throws {SetUpError}
 */
export async function refuseDeadProxy(env) {
  const proxy = proxyOf(env);
  if (proxy === undefined) return;
  const socket = connect(proxy.port, proxy.hostname.replace(/^\[|\]$/g, ''));
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(ANSWER_MILLISECONDS) });
  } catch {
    throw new SetUpError(
      `The proxy ${proxy.hostname}:${proxy.port} that ${proxy.variable} names does not answer: ` +
        'correct or unset the variable and run the command again.',
    );
  } finally {
    socket.destroy();
  }
}
