import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { refuseDeadProxy } from '../../setup/proxy.mjs';

const server = createServer();
afterEach(() => void server.close());

async function listeningPort(): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('the proxy of the environment', () => {
  test('is asked before anything is installed: one that answers is used, one that does not is named', async () => {
    const port = await listeningPort();
    await refuseDeadProxy({ HTTPS_PROXY: `http://127.0.0.1:${port}` });
    server.close();
    await once(server, 'close');
    await expect(refuseDeadProxy({ https_proxy: `http://127.0.0.1:${port}` })).rejects.toThrow(
      `The proxy 127.0.0.1:${port} that https_proxy names does not answer: correct or unset the variable`,
    );
    await refuseDeadProxy({});
  });

  test('must have an address', async () => {
    await expect(refuseDeadProxy({ HTTPS_PROXY: 'http://' })).rejects.toThrow(
      'which is no address of a proxy',
    );
  });
});
