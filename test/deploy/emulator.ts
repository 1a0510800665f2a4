/** An AWS emulator (moto) on a free port, and the environment variables with which the SDK and the CDK use it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { locate, projectRoot } from '../../setup/environment.mjs';

/** The emulator's default account. */
export const ACCOUNT = '123456789012';
export const REGION = 'us-east-1';
const START_SECONDS = 30;
/** Larger objects are kept on disk: a rehearsed lake would be hundreds of megabytes of the emulator's memory. */
const OBJECT_BYTES_IN_MEMORY = 16_384;

export interface Emulator {
  readonly endpoint: string;
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Starts the emulator and waits until it answers. */
export async function startEmulator(): Promise<Emulator> {
  const port = await freePort();
  const home = mkdtempSync(join(tmpdir(), 'churn-deploy-'));
  const command = join(locate(projectRoot).deployEmulatorFolder, 'bin', 'moto_server');
  const server = spawn(command, ['--port', String(port)], {
    stdio: 'ignore',
    env: { ...process.env, MOTO_S3_DEFAULT_KEY_BUFFER_SIZE: String(OBJECT_BYTES_IN_MEMORY) },
  });
  // A host name, not an address: virtual hosts of buckets are derived from it.
  const endpoint = `http://localhost:${port}`;
  await untilItAnswers(endpoint, server);
  return {
    endpoint,
    environment: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: REGION,
      AWS_DEFAULT_REGION: REGION,
      AWS_ACCESS_KEY_ID: 'testing',
      AWS_SECRET_ACCESS_KEY: 'testing',
      AWS_EC2_METADATA_DISABLED: 'true',
      // The CDK caches accounts and endpoints between calls, which must not happen between tests.
      CDK_HOME: home,
    },
    async stop() {
      const ended = once(server, 'exit');
      server.kill();
      await ended;
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function untilItAnswers(endpoint: string, server: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < START_SECONDS * 4; attempt += 1) {
    if (server.exitCode !== null) break;
    const answer = await fetch(`${endpoint}/moto-api/`).catch(() => undefined);
    if (answer?.ok) return;
    await delay(250);
  }
  server.kill();
  throw new Error(`the emulator did not answer at ${endpoint} within ${START_SECONDS} s`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null
          ? resolve(address.port)
          : reject(new Error('there is no free port')),
      );
    });
  });
}
