/** Runs that have had their time: found by PlanRun, removed by the run that was planned, before it releases the lease. */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  CURRENT,
  LEASE,
  MODEL,
  modelFolder,
  OUTCOME_ROWS,
  PLAN,
  REPORT,
  RUN_DETAIL,
  RUN_RECORD,
  runFolder,
} from '../../../domain/lake-objects.ts';
import { MOST_SHOWN_RUNS } from '../../../domain/retention.ts';
import { removeExpired } from '../../../lambda/run/remove-expired.ts';
import { storeMetrics } from '../../../lambda/store-metrics/store-metrics.ts';
import { MemoryPorts } from '../../support/memory-ports.ts';
import { at, EVENTS, plan, planOf, runSteps, storeMetricsInput, worldOn } from '../../support/run-fixture.ts';

const DAY_MILLISECONDS = 86_400_000;
let ports: MemoryPorts;

/** What a run leaves: objects, a model and a report, and what is kept for good. */
function leave(runId: string): readonly string[] {
  const kept = [RUN_RECORD.of(runId).key, OUTCOME_ROWS.of(runId).key];
  const left = [
    ...[RUN_DETAIL.of(runId).key, `${runFolder(runId)}/results/score-users.json`],
    ...[MODEL.of(runId).key, `${modelFolder(runId)}/trees/part-0`],
    REPORT.of(runId).key,
  ];
  for (const key of [...kept, ...left]) ports.objects.put(at(key), '{}');
  return left;
}

beforeEach(async () => {
  ports = new MemoryPorts();
  ports.objects.put(`${EVENTS}/2018-10-01.json`, 'events');
});

const store = () => storeMetrics(storeMetricsInput('run-1'), worldOn(ports));
const isThere = (key: string): boolean => ports.objects.text(at(key)) !== undefined;

/** The next run comes when there are as many newer runs as are shown, and the setting's days have passed. */
async function next(newer = MOST_SHOWN_RUNS): Promise<void> {
  ports.clock.advance(500 * DAY_MILLISECONDS);
  for (let run = 0; run < newer; run += 1) ports.objects.put(at(RUN_RECORD.of(`newer-${run}`).key), '{}');
  await plan(ports, 'run-1', { force: true });
  runSteps(ports, 'run-1');
}

describe('a run after hundreds of others', () => {
  it('removes what old runs left, keeps their records and outcomes, and says so', async () => {
    const left = [...leave('old-a'), ...leave('old-b')];
    const others = leave('old-a-2');
    ports.objects.put(at(RUN_RECORD.of('old-a-2').key), '{}');
    await next(MOST_SHOWN_RUNS - 1);
    // The youngest of the three is among those that are shown.
    const expired = planOf(ports, 'run-1').expiredRuns;
    expect(expired).toHaveLength(2);
    const { summary } = await store();
    expect(summary).toContain('Removed: models, objects, reports and scores of 2 old runs');
    expect(left.filter(isThere).length + others.filter(isThere).length).toBe(others.length);
    for (const runId of expired) {
      expect(isThere(RUN_RECORD.of(runId).key)).toBe(true);
      expect(isThere(OUTCOME_ROWS.of(runId).key)).toBe(true);
    }
    expect(isThere(PLAN.of('run-1').key)).toBe(true);
  });

  it('keeps what belongs to what is current', async () => {
    const champion = leave('champion');
    const scored = leave('scored');
    const source = leave('source');
    await plan(ports, 'scored');
    const before = planOf(ports, 'scored');
    const results = {
      ...before.outputs.results,
      'ingest-events': at(`${runFolder('source')}/results/x.json`),
    };
    ports.objects.put(
      at(PLAN.of('scored').key),
      JSON.stringify({ ...before, outputs: { ...before.outputs, results } }),
    );
    ports.executions.set('scored', 'SUCCEEDED');
    const inCharge = {
      runId: 'champion',
      modelUri: at(modelFolder('champion')),
      testCutoff: '2018-11-19',
      promotedAt: '2018-12-01T00:00:00.000Z',
    };
    const current = { runId: 'scored', batchId: before.batch.batchId, champion: inCharge };
    ports.objects.put(at(CURRENT.key), JSON.stringify(current));
    const gone = leave('other');
    await next();
    expect(planOf(ports, 'run-1').expiredRuns).toEqual(['other']);
    await store();
    expect(gone.filter(isThere)).toEqual([]);
    for (const key of [...champion, ...scored, ...source]) expect(isThere(key), key).toBe(true);
  });

  it('keeps what has come into use since it was planned', async () => {
    const [used, gone] = [leave('used'), leave('gone')];
    const current = { runId: 'used', batchId: '0123456789abcdef', champion: null };
    ports.objects.put(at(CURRENT.key), JSON.stringify(current));
    await removeExpired(worldOn(ports), { expiredRuns: ['used', 'gone'] });
    expect(used.every(isThere)).toBe(true);
    expect(gone.filter(isThere)).toEqual([]);
  });

  it('keeps what waits for its outcome', async () => {
    leave('waiting');
    await ports.objects.remove(at(OUTCOME_ROWS.of('waiting').key));
    await next();
    expect(planOf(ports, 'run-1').expiredRuns).toEqual([]);
  });

  it('looks for nothing while all runs are shown', async () => {
    leave('old');
    await next(MOST_SHOWN_RUNS - 1);
    expect(planOf(ports, 'run-1').expiredRuns).toEqual([]);
    const { summary } = await store();
    expect(summary).not.toContain('Removed');
  });

  it('ends in the same way after a death at any removal', async () => {
    const left = leave('old');
    await next();
    let removals = 0;
    ports.before = (call, uri) => {
      if (call === 'objects.remove' && uri.includes('/old')) {
        removals += 1;
        if (removals === 2) throw new Error('cut off');
      }
    };
    await store();
    // It is said, and neither fails the run nor holds the lease.
    expect(ports.warnings.join()).toContain('the next run goes on');
    expect(JSON.parse(ports.objects.text(at(LEASE.key)) ?? '').holder).toBeNull();
    expect(left.filter(isThere).length).toBeGreaterThan(0);
    // The objects of the run go last: the next plan finds it.
    expect(isThere(RUN_DETAIL.of('old').key)).toBe(true);
    ports.before = undefined;
    ports.executions.set('run-1', 'SUCCEEDED');
    await plan(ports, 'run-2', { force: true });
    expect(planOf(ports, 'run-2').expiredRuns).toEqual(['old']);
  });
});
