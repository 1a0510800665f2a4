/** DecideTraining as a state: what it reads, that it decides once, and when it must not go on. */
import { beforeEach, describe, expect, it } from 'vitest';
import { CURRENT, MODEL, PLAN, TRAINING_DECISION } from '../../../domain/lake-objects.ts';
import { decideTrainingOfRun } from '../../../lambda/decide-training/decide-training.ts';
import { storeMetrics } from '../../../lambda/store-metrics/store-metrics.ts';
import { arnOf, MemoryPorts } from '../../support/memory-ports.ts';
import {
  at,
  DEPLOYMENT,
  EVENTS,
  FEATURES,
  NEXT_DEPLOYMENT,
  plan,
  planOf,
  putResult,
  runStep,
  runSteps,
  storeMetricsInput,
  worldOn,
} from '../../support/run-fixture.ts';

let ports: MemoryPorts;
const decide = (runId: string) =>
  decideTrainingOfRun({ runId, executionArn: arnOf(runId), planUri: at(PLAN.of(runId).key) }, worldOn(ports));
const written = (runId: string) =>
  JSON.parse(ports.objects.text(at(TRAINING_DECISION.of(runId).key)) ?? 'null');

/** Plans a run on one more file, and runs its steps up to the decision. */
async function next(runId: string, request: object = {}, deployment = DEPLOYMENT): Promise<void> {
  ports.clock.advance(60_000);
  ports.objects.put(`${EVENTS}/${runId}.json`, 'events');
  await plan(ports, runId, request, deployment);
  for (const step of ['ingest-events', 'build-features'] as const) runStep(ports, runId, step);
}

beforeEach(async () => {
  ports = new MemoryPorts();
  await next('run-1');
  runSteps(ports, 'run-1');
  await storeMetrics(storeMetricsInput('run-1'), worldOn(ports));
  ports.executions.set('run-1', 'SUCCEEDED');
});

describe('DecideTraining', () => {
  it('trains in the first run, and writes that where the plan says', async () => {
    ports = new MemoryPorts();
    await next('run-0');
    expect(await decide('run-0')).toEqual({
      decision: 'train',
      reason: 'nothing is remembered of an earlier training',
    });
    expect(at(TRAINING_DECISION.of('run-0').key)).toBe(planOf(ports, 'run-0').outputs.trainingDecision);
  });

  it('does not train in the next one on the same cutoffs, and writes down why', async () => {
    await next('run-2');
    const decision = await decide('run-2');
    expect(decision).toMatchObject({ decision: 'skip' });
    expect(written('run-2')).toEqual(decision);
  });

  it.each<[string, (runId: string) => Promise<void>, RegExp]>([
    ['the request says so', (runId) => next(runId, { train: 'always' }), /the request says to train always/],
    ['the run is forced', (runId) => next(runId, { force: true }), /forced/],
    ['training is another', (runId) => next(runId, {}, NEXT_DEPLOYMENT), /have changed since run run-1/],
    [
      'the horizon is another',
      (runId) => next(runId, { horizonDays: 7 }),
      /it predicts 14 days ahead, and this run 7/,
    ],
    [
      'the files of the model in charge are gone',
      async (runId) => {
        await next(runId);
        await ports.objects.remove(at(MODEL.of('run-1').key));
      },
      /the model in charge cannot be used: .*there is no model at/,
    ],
  ])('trains as %s', async (_, prepare, reason) => {
    await prepare('run-2');
    expect(await decide('run-2')).toEqual({ decision: 'train', reason: expect.stringMatching(reason) });
  });

  it('prefers the request to force', async () => {
    await next('run-2', { force: true, train: 'never' });
    expect(await decide('run-2')).toMatchObject({ decision: 'skip' });
  });

  it('decides once: a retry and a run that resumes it find the decision', async () => {
    await next('run-2');
    const decision = await decide('run-2');
    const cutoffs = FEATURES.cutoffs.map((cutoff) => ({ ...cutoff, version: 'another' }));
    putResult(ports, 'run-2', 'build-features', { ...FEATURES, cutoffs });
    expect(await decide('run-2')).toEqual(decision);
    ports.executions.set('run-2', 'FAILED');
    await plan(ports, 'run-3', { resume: 'run-2' });
    expect(await decide('run-3')).toEqual(decision);
    expect(written('run-3')).toBeNull();
  });

  it('does not go on when the run was closed and another holds the lease, or another model is in charge', async () => {
    await next('run-2');
    ports.objects.put(at(CURRENT.key), JSON.stringify({ runId: 'run-0', batchId: 'b', champion: null }));
    await expect(decide('run-2')).rejects.toMatchObject({ name: 'ChampionChanged' });
    ports.executions.set('run-2', 'TIMED_OUT');
    await plan(ports, 'run-3', { force: true });
    await expect(decide('run-2')).rejects.toMatchObject({ name: 'LeaseLost' });
    expect(written('run-2')).toBeNull();
  });
});
