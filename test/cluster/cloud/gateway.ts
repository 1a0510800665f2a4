/**
 * Stands in front of the emulators: logs every request with the role that signed it, answers for the services that are
 * emulated here, and passes everything else on to moto.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
  request as send,
} from 'node:http';
import type { Json } from '../../../local/template/template.ts';
import { type AwsCall, operationOf } from '../judge/call.ts';

/** An error of an emulated service, as its SDK reads it. */
export class ServiceError extends Error {
  override readonly name: string;
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/** Answers one operation of a service whose requests are JSON. */
export type EmulatedService = (operation: string, request: Json) => Promise<Json>;

export interface Gateway {
  readonly endpoint: string;
  /** Every request so far. */
  readonly calls: readonly AwsCall[];
  /** Logs a call that does not pass through the gateway. */
  readonly record: (call: AwsCall) => void;
  /** The environment variables with which a program calls AWS as that role. */
  readonly environmentOf: (role: string) => Readonly<Record<string, string>>;
  readonly stop: () => Promise<void>;
}

export interface GatewayProps {
  readonly region: string;
  readonly roles: Iterable<string>;
  /** Where moto listens. */
  readonly moto: string;
  /** By the name that requests are signed for. */
  readonly services: Readonly<Record<string, EmulatedService>>;
}

const TEXT_BYTES = 262_144;

export async function startGateway({ region, roles, moto, services }: GatewayProps): Promise<Gateway> {
  const calls: AwsCall[] = [];
  const byKey = new Map([...roles].map((role) => [accessKeyOf(role), role]));
  const agent = new Agent({ keepAlive: false, maxSockets: 64 });
  const server = createServer((incoming, outgoing) => {
    const call = begin(incoming, byKey);
    const service = services[call.service];
    const finish = (ended: Pick<AwsCall, 'body' | 'status' | 'answer'>): void => {
      calls.push({ ...call, ...ended });
    };
    const work =
      service === undefined
        ? pass(incoming, outgoing, { call, moto, agent })
        : answer(incoming, outgoing, call, service);
    work.then(finish, (error) => {
      finish({ body: '', status: 502, answer: String(error) });
      outgoing.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the gateway has no port');
  const endpoint = `http://127.0.0.1:${address.port}`;
  return {
    endpoint,
    calls,
    record: (call) => calls.push(call),
    environmentOf: (role) => ({
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: accessKeyOf(role),
      AWS_SECRET_ACCESS_KEY: 'rehearsal',
      AWS_EC2_METADATA_DISABLED: 'true',
    }),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The access key of a role: as long as AWS's, and the same in every rehearsal. */
export function accessKeyOf(role: string): string {
  return `AKIA${createHash('sha256').update(role).digest('hex').slice(0, 16).toUpperCase()}`;
}

type Begun = Omit<AwsCall, 'body' | 'status' | 'answer'>;
type Ended = Pick<AwsCall, 'body' | 'status' | 'answer'>;

function begin(
  { url = '/', method = 'GET', headers }: IncomingMessage,
  byKey: ReadonlyMap<string, string>,
): Begun {
  const { pathname: path, searchParams } = new URL(url, 'http://gateway');
  const [, key = '', service = 'unsigned'] =
    /Credential=([^/]+)\/[^/]+\/[^/]+\/([^/]+)\//.exec(headers.authorization ?? '') ?? [];
  return {
    role: byKey.get(key) ?? `nobody (${key})`,
    service,
    method,
    path,
    query: Object.fromEntries(searchParams),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join() : (value ?? ''),
      ]),
    ),
  };
}

/** Collects text up to a size: the content of objects is neither needed nor small. */
class Text {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  add(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= TEXT_BYTES) this.#chunks.push(chunk);
  }
  toString(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  call: Begun,
  service: EmulatedService,
): Promise<Ended> {
  const text = new Text();
  for await (const chunk of incoming) text.add(chunk);
  const body = text.toString();
  let status = 200;
  let result: Json;
  try {
    result = await service(operationOf({ headers: call.headers, body }), JSON.parse(body));
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    status = 400;
    result = { __type: error.name, message: error.message };
  }
  const written = JSON.stringify(result);
  outgoing.writeHead(status, {
    'content-type': call.headers['content-type'] ?? 'application/x-amz-json-1.1',
  });
  outgoing.end(written);
  return { body, status, answer: written };
}

/**
 * S3A copies an object with the key that it is encrypted with, which its SDK refuses without TLS. So it is not shown that
 * key; the copy is encrypted with the same one, which is the bucket's.
 */
function forClient(call: Begun, headers: IncomingHttpHeaders): IncomingHttpHeaders {
  if (call.method !== 'HEAD' || !call.headers['user-agent']?.includes('aws-sdk-java/1.')) return headers;
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !name.startsWith('x-amz-server-side-encryption')),
  );
}

interface Passing {
  readonly call: Begun;
  readonly moto: string;
  readonly agent: Agent;
}

function pass(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { call, moto, agent }: Passing,
): Promise<Ended> {
  const target = new URL(moto);
  const { expect: _expect, connection: _connection, ...headers } = incoming.headers;
  // Without its length a request is sent in chunks, and moto waits for more.
  const hasBody = 'content-length' in headers || 'transfer-encoding' in headers;
  const isContent = call.service === 's3' && !('delete' in call.query);
  const body = new Text();
  const answered = new Text();
  return new Promise((resolve, reject) => {
    const forwarded = send(
      {
        host: target.hostname,
        port: target.port,
        method: call.method,
        path: incoming.url,
        headers: { ...(hasBody ? {} : { 'content-length': '0' }), ...headers, host: target.host },
        agent,
      },
      (response) => {
        const { connection: _closed, 'keep-alive': _kept, ...answerHeaders } = response.headers;
        outgoing.writeHead(response.statusCode ?? 502, forClient(call, answerHeaders));
        // What succeeded is not looked at again: kept, the answers of Glue would be a tenth of the rehearsal's memory.
        const isKept = call.service !== 's3' && (response.statusCode ?? 502) >= 400;
        if (isKept) response.on('data', (chunk: Buffer) => answered.add(chunk));
        response.pipe(outgoing);
        response.on('end', () =>
          resolve({ body: body.toString(), status: response.statusCode ?? 502, answer: answered.toString() }),
        );
        response.on('error', reject);
      },
    );
    forwarded.on('error', reject);
    if (!isContent) incoming.on('data', (chunk: Buffer) => body.add(chunk));
    incoming.pipe(forwarded);
  });
}
