/** What came true of earlier runs: stored once, whichever run counts it, and known to all later ones. */
import { beforeEach, describe, expect, it } from 'vitest';
import { OUTCOMES } from '../../../domain/lake.ts';
import { OUTCOME_ROWS, RUN_DETAIL } from '../../../domain/lake-objects.ts';
import { runDetailSchema } from '../../../domain/records.ts';
import type { RunOutcome } from '../../../domain/results.ts';
import { storeMetrics } from '../../../lambda/store-metrics/store-metrics.ts';
import { MemoryPorts } from '../../support/memory-ports.ts';
import {
  at,
  EVENTS,
  plan,
  putResult,
  runSteps,
  SCORING,
  storeMetricsInput,
  worldOn,
} from '../../support/run-fixture.ts';

const outcome = (runId: string, cutoff: string, observed: number): RunOutcome => ({
  ...{ runId, cutoff, horizonEnd: '2018-12-01' },
  groups: [
    { decile: 1, inControlGroup: false, worthContacting: true, users: 90, predicted: 27, observed },
    { decile: 1, inControlGroup: true, worthContacting: true, users: 10, predicted: 3, observed: 5 },
    { decile: 2, inControlGroup: false, worthContacting: false, users: 100, predicted: 4, observed: 3 },
  ],
});

let ports: MemoryPorts;

beforeEach(() => {
  ports = new MemoryPorts();
  ports.objects.put(`${EVENTS}/2018-10-01.json`, 'events');
});

/** A run that has counted these outcomes, from its plan to its end. */
async function run(runId: string, outcomes: readonly RunOutcome[]) {
  await plan(ports, runId, { force: true });
  runSteps(ports, runId);
  putResult(ports, runId, 'score-users', { ...SCORING, outcomes });
  await storeMetrics(storeMetricsInput(runId), worldOn(ports));
  ports.executions.set(runId, 'SUCCEEDED');
  return runDetailSchema.parse(JSON.parse(ports.objects.text(at(RUN_DETAIL.of(runId).key)) ?? '')).outcomes;
}

const rowsOf = (runId: string) =>
  (ports.objects.text(at(OUTCOME_ROWS.of(runId).key)) ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

describe('what came true of earlier runs', () => {
  it('is stored as a table, each run for itself, with the run that counted it', async () => {
    await run('run-9', [outcome('run-1', '2018-11-10', 20), outcome('run-2', '2018-11-12', 21)]);
    expect(rowsOf('run-1').map(({ part, observed }) => [part, observed])).toEqual([
      ['all', 28],
      ['decile', 25],
      ['decile', 3],
      ['list', 20],
      ['control', 5],
    ]);
    for (const row of [...rowsOf('run-1'), ...rowsOf('run-2')]) {
      expect(Object.keys(row)).toEqual(OUTCOMES.columns.map(({ name }) => name));
      expect(row.measured_by).toBe('run-9');
    }
  });

  it('is known to every later run, with the rows of the newest cutoff', async () => {
    await run('run-8', [outcome('run-1', '2018-11-10', 20)]);
    const known = await run('run-9', [outcome('run-2', '2018-11-12', 30)]);
    expect(known?.past.map(({ runId, predicted, observed }) => [runId, predicted, observed])).toEqual([
      ['run-1', 34, 28],
      ['run-2', 34, 38],
    ]);
    expect(known?.newest).toEqual(rowsOf('run-2'));
    expect((await run('run-10', []))?.past).toHaveLength(2);
  });

  it('never changes once it is stored', async () => {
    await run('run-8', [outcome('run-1', '2018-11-10', 20)]);
    const stored = rowsOf('run-1');
    const known = await run('run-9', [outcome('run-1', '2018-11-10', 77)]);
    expect(rowsOf('run-1')).toEqual(stored);
    expect(known?.past).toMatchObject([{ observed: 28 }]);
  });

  it('is left out where it cannot be read', async () => {
    ports.objects.put(at(OUTCOME_ROWS.of('run-1').key), '{"half');
    expect((await run('run-9', [outcome('run-2', '2018-11-12', 30)]))?.past).toHaveLength(1);
  });
});
