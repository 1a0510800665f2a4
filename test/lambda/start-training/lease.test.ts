/** The lease goes to one start at a time, however many there are and whatever died before. */
import { describe, expect, it } from 'vitest';
import { REFUSED } from '../../../domain/lake-objects.ts';
import { arnOf } from '../../support/memory-ports.ts';
import { leaseOf, portsWithLog } from '../../support/planned-runs.ts';
import { at, plan } from '../../support/run-fixture.ts';

describe('the lease', () => {
  it('goes to exactly one of fifty simultaneous starts; the others name it', async () => {
    const ports = portsWithLog();
    const runIds = Array.from({ length: 50 }, (_, index) => `run-${index}`);
    const decisions = await Promise.all(runIds.map((runId) => plan(ports, runId)));
    const running = decisions.filter(({ decision }) => decision === 'run');
    const refused = decisions.filter((decision) => decision.decision === 'refused');
    expect([running.length, refused.length]).toEqual([1, 49]);
    expect(leaseOf(ports)?.runId).toBe(running[0]?.runId);
    for (const { reason } of refused) expect(reason).toContain(`run ${running[0]?.runId} lives`);
  });

  it('goes to exactly one of fifty simultaneous starts when a dead run still holds it', async () => {
    const ports = portsWithLog();
    await plan(ports, 'dead');
    ports.executions.set('dead', 'TIMED_OUT');
    const runIds = Array.from({ length: 50 }, (_, index) => `run-${index}`);
    const decisions = await Promise.all(runIds.map((runId) => plan(ports, runId)));
    expect(decisions.filter(({ decision }) => decision === 'run')).toHaveLength(1);
  });

  it('is not taken from a run whose cluster is still running', async () => {
    const ports = portsWithLog();
    await plan(ports, 'run-1');
    ports.clusters.start('run-1', arnOf('run-1'));
    ports.executions.set('run-1', 'ABORTED');
    expect(await plan(ports, 'run-2')).toMatchObject({
      decision: 'refused',
      reason: expect.stringMatching(/cluster j-1 still lives/),
    });
  });

  it('is not taken from a run that Step Functions does not list yet', async () => {
    const ports = portsWithLog();
    await plan(ports, 'run-1');
    ports.executions.all.clear();
    expect(await plan(ports, 'run-2')).toMatchObject({ decision: 'refused' });
    ports.clock.advance(120_000);
    ports.executions.all.delete(arnOf('run-1'));
    expect(await plan(ports, 'run-3')).toMatchObject({ decision: 'run' });
  });

  it('leaves no refusal marker when a refused start is retried and gets it', async () => {
    const ports = portsWithLog();
    await plan(ports, 'run-1');
    expect(await plan(ports, 'run-2')).toMatchObject({ decision: 'refused' });
    expect(ports.objects.text(at(REFUSED.of('run-2').key))).toContain('run-1');
    ports.executions.set('run-1', 'FAILED');
    expect(await plan(ports, 'run-2')).toMatchObject({ decision: 'run' });
    expect(ports.objects.text(at(REFUSED.of('run-2').key))).toBeUndefined();
  });
});
