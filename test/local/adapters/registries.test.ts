import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalClusters } from '../../../local/adapters/local-clusters.ts';
import { LocalExecutions } from '../../../local/adapters/local-executions.ts';
import { projectRoot } from '../../../setup/environment.mjs';

const ARN = 'arn:aws:states:us-east-1:123456789012:execution:churn:run-1';
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'registries '));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Runs a program that dies without cleaning up. */
function dieAfter(program: string): void {
  const { status, signal, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', `${program}; process.kill(process.pid, 'SIGKILL');`],
    { encoding: 'utf8' },
  );
  if (signal !== 'SIGKILL') throw new Error(`it exited with ${status}: ${stderr}`);
}

describe('local executions', () => {
  it('are running until they end', async () => {
    const executions = new LocalExecutions(folder);
    const startedAt = new Date('2026-11-23T10:00:00Z');
    expect(await executions.status(ARN)).toBe('UNKNOWN');
    await executions.begin('run-1', ARN, startedAt);
    expect(await executions.status(ARN)).toBe('RUNNING');
    expect(await executions.failedSince(new Date(0))).toEqual([]);
    await executions.end('run-1', 'TIMED_OUT', new Date());
    expect(await executions.status(ARN)).toBe('TIMED_OUT');
    expect(await executions.failedSince(new Date(0))).toEqual([
      { runId: 'run-1', executionArn: ARN, status: 'TIMED_OUT', startedAt },
    ]);
    expect(await executions.failedSince(new Date('2026-11-23T10:00:01Z'))).toEqual([]);
  });

  it('count as aborted once their process was killed', async () => {
    dieAfter(`
      import { LocalExecutions } from '${projectRoot}/local/adapters/local-executions.ts';
      await new LocalExecutions('${folder}').begin('run-1', '${ARN}', new Date());`);
    const executions = new LocalExecutions(folder);
    expect(await executions.status(ARN)).toBe('ABORTED');
    expect(await executions.failedSince(new Date(0))).toMatchObject([{ runId: 'run-1', status: 'ABORTED' }]);
  });
});

describe('local clusters', () => {
  it('live no longer than the process that created them', async () => {
    dieAfter(`
      import { LocalClusters } from '${projectRoot}/local/adapters/local-clusters.ts';
      await new LocalClusters('${folder}').create({ clusterId: 'j-1', runId: 'run-1', executionArn: '${ARN}' });`);
    const clusters = new LocalClusters(folder);
    expect(JSON.parse(await readFile(join(folder, 'j-1.json'), 'utf8')).endedAt).toBeNull();
    expect(await clusters.living()).toEqual([]);
  });

  it('record which step failed', async () => {
    const clusters = new LocalClusters(folder);
    await clusters.create({ clusterId: 'j-1', runId: 'run-1', executionArn: ARN });
    const failedStep = { name: 'TrainModels', reason: 'exit code 1', logUri: 'file:///log' };
    await clusters.change('j-1', { failedStep });
    expect(await clusters.ofRun('run-1')).toMatchObject([{ state: 'WAITING', failedStep }]);
  });

  it('with a damaged record are an error', async () => {
    await writeFile(join(folder, 'j-1.json'), '{"clusterId": 1}');
    await expect(new LocalClusters(folder).living()).rejects.toThrow();
  });
});
