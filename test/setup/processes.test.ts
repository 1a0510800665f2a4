import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../../setup/environment.mjs';

/** Starts `node setup/run.mjs node -e <script>` and collects what it prints. */
function start(script: string) {
  const child = spawn(process.execPath, [join(projectRoot, 'setup', 'run.mjs'), 'node', '-e', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  return { child, ended: once(child, 'close').then(([code]) => ({ code, output })) };
}

describe('a command of the project', () => {
  test('runs on Node 22, strips types without a warning, and passes its exit code on', async () => {
    const { ended } = start('console.log(process.version, process.env.NODE_OPTIONS); process.exitCode = 7');
    expect(await ended).toEqual({
      code: 7,
      output: expect.stringMatching(/^v22\..*--disable-warning=ExperimentalWarning/),
    });
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('gets %s, and ends in its own way', async (signal) => {
    const { child, ended } = start(
      `process.on('${signal}', () => { console.log('tidied up'); process.exit(3); }); setInterval(() => {}, 1000); console.log('ready')`,
    );
    await once(child.stdout, 'data');
    child.kill(signal);
    expect(await ended).toEqual({ code: 3, output: 'ready\ntidied up\n' });
  });

  test('that a signal killed shows as 128 and its number', async () => {
    const { ended } = start("process.kill(process.pid, 'SIGKILL')");
    expect(await ended).toMatchObject({ code: 137 });
  });
});
