import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../../setup/environment.mjs';

/** Starts `node setup/run.mjs node -e <script>` and collects its output. */
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

describe('a command run by setup/run.mjs', () => {
  test('runs on Node 22, strips types without a warning, and passes on its exit code', async () => {
    const { ended } = start('console.log(process.version, process.env.NODE_OPTIONS); process.exitCode = 7');
    expect(await ended).toEqual({
      code: 7,
      output: expect.stringMatching(/^v22\..*--disable-warning=ExperimentalWarning/),
    });
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('receives %s and can exit in its own way', async (signal) => {
    const { child, ended } = start(
      `process.on('${signal}', () => { console.log('tidied up'); process.exit(3); }); setInterval(() => {}, 1000); console.log('ready')`,
    );
    await once(child.stdout, 'data');
    child.kill(signal);
    expect(await ended).toEqual({ code: 3, output: 'ready\ntidied up\n' });
  });

  test('exits with 128 plus the signal number when a signal kills it', async () => {
    const { ended } = start("process.kill(process.pid, 'SIGKILL')");
    expect(await ended).toMatchObject({ code: 137 });
  });
});
