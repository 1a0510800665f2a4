/** A person puts a model in charge: under the lease, only one that can score, and the next run scores with it. */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  CHOICE,
  CURRENT,
  DECISION,
  LEASE,
  MODEL,
  PLAN,
  RUN_DETAIL,
  RUN_RECORD,
} from '../../../domain/lake-objects.ts';
import type { RunPlan } from '../../../domain/run.ts';
import { putInCharge } from '../../../lambda/run/in-charge.ts';
import { storeMetrics } from '../../../lambda/store-metrics/store-metrics.ts';
import { arnOf, MemoryPorts } from '../../support/memory-ports.ts';
import {
  at,
  championTest,
  EVENTS,
  NEXT_DEPLOYMENT,
  plan,
  planOf,
  putModel,
  runSteps,
  runWithoutTraining,
  storeMetricsInput,
  worldOn,
} from '../../support/run-fixture.ts';

let ports: MemoryPorts;
const json = (key: string) => JSON.parse(ports.objects.text(at(key)) ?? 'null');
const withModel = (runId: string, changed: object = {}): void => putModel(ports, runId, changed);

async function succeed(runId: string, training: Parameters<typeof runSteps>[2] = {}): Promise<void> {
  await plan(ports, runId, { force: true });
  runSteps(ports, runId, training);
  await storeMetrics(storeMetricsInput(runId), worldOn(ports));
  ports.executions.set(runId, 'SUCCEEDED');
  ports.clock.advance(3_600_000);
}

const decide = (action: 'promote' | 'rollback', runId: string) =>
  putInCharge(worldOn(ports), {
    action,
    runId,
    by: 'ada',
    why: 'the list looked odd',
    executionArnOf: arnOf,
  });

beforeEach(async () => {
  ports = new MemoryPorts();
  ports.objects.put(`${EVENTS}/2018-10-01.json`, 'events');
  await succeed('run-1');
  await succeed('run-2', { champion: championTest({ runId: 'run-1' }) });
});

describe('a rollback', () => {
  it('puts the earlier model in charge, stops promotions, and keeps who, when and why', async () => {
    const when = ports.clock.now().toISOString();
    expect(await decide('rollback', 'run-1')).toMatchObject({ runId: 'run-1', before: 'run-2' });
    expect(json(CURRENT.key)).toMatchObject({
      runId: 'run-2',
      champion: { runId: 'run-1', modelUri: at('models/run-1') },
      scoredUnder: 'run-2',
      manual: { by: 'ada', at: when, why: 'the list looked odd' },
    });
    const kept = ports.objects.uris().filter((uri) => uri.includes(`/${DECISION.folder}/rollback-`));
    expect(kept).toHaveLength(1);
    expect(JSON.parse(ports.objects.text(kept[0] ?? '') ?? 'null')).toMatchObject({
      action: 'rollback',
      by: 'ada',
    });
    expect(json(LEASE.key).holder).toBeNull();
  });

  it('makes the next run go on without new files, and only score: everything else is taken from the current run', async () => {
    await decide('rollback', 'run-1');
    const { etag } = (await ports.objects.read(at(CURRENT.key))) ?? { etag: '' };
    expect(await plan(ports, 'run-3')).toMatchObject({ decision: 'run' });
    const [before, after] = [planOf(ports, 'run-2'), planOf(ports, 'run-3')];
    expect(after).toMatchObject({
      champion: { runId: 'run-1' },
      currentTag: etag,
      promotion: { mode: 'manual' },
      train: { mode: 'never', askedBy: 'rescoring' },
      batch: before.batch,
    });
    const results = (of: RunPlan) => of.outputs.results;
    expect(results(after)['ingest-events']).toBe(results(before)['ingest-events']);
    expect(results(after)['build-features']).toBe(results(before)['build-features']);
    expect(after.outputs).toMatchObject({
      model: at('models/run-3'),
      trainingDecision: at('runs/run-3/training-decision.json'),
    });
    expect(results(after)['score-users']).toBe(at('runs/run-3/results/score-users.json'));
  });

  it('is done once the next run has scored: a further start has nothing to do', async () => {
    await decide('rollback', 'run-1');
    await plan(ports, 'run-3');
    await runWithoutTraining(ports, 'run-3');
    expect(json(CHOICE.of('run-3').key)).toMatchObject({ rule: 'in_charge', scorer: { runId: 'run-1' } });
    await storeMetrics(storeMetricsInput('run-3'), worldOn(ports));
    ports.executions.set('run-3', 'SUCCEEDED');
    expect(json(CURRENT.key)).toMatchObject({
      runId: 'run-3',
      champion: { runId: 'run-1' },
      scoredUnder: 'run-1',
    });
    expect(await plan(ports, 'run-4')).toMatchObject({ decision: 'nothing-to-do' });
  });

  it('lets a run of another release do all steps', async () => {
    await decide('rollback', 'run-1');
    expect(await plan(ports, 'run-3', {}, NEXT_DEPLOYMENT)).toMatchObject({ decision: 'run' });
    expect(planOf(ports, 'run-3')).toMatchObject({
      train: { mode: 'when-new' },
      champion: { runId: 'run-1' },
    });
  });

  it('holds until a promotion', async () => {
    await decide('rollback', 'run-1');
    await decide('promote', 'run-2');
    expect(json(CURRENT.key)).toMatchObject({ champion: { runId: 'run-2' }, manual: null });
    expect(await plan(ports, 'run-3')).toMatchObject({ decision: 'nothing-to-do' });
  });
});

describe('a failed run', () => {
  it('is not resumed when another model was put in charge since it was planned', async () => {
    ports.objects.put(`${EVENTS}/2018-10-02.json`, 'more events');
    await plan(ports, 'run-3');
    ports.executions.set('run-3', 'FAILED');
    await decide('rollback', 'run-1');
    await expect(plan(ports, 'run-4', { resume: 'run-3' })).rejects.toThrow(
      /"run-3" cannot be resumed: it was planned before the model in charge was changed/,
    );
  });
});

describe('a person is refused', () => {
  const current = () => ports.objects.text(at(CURRENT.key));

  it('while a run lives, and the run is named', async () => {
    await plan(ports, 'run-3', { force: true });
    const before = current();
    await expect(decide('rollback', 'run-1')).rejects.toThrow(/run run-3 lives .*wait for it or stop it/);
    expect(current()).toBe(before);
    expect(json(LEASE.key).holder).toMatchObject({ runId: 'run-3' });
  });

  it.each([
    ['there is no such run', 'run-9', () => undefined],
    ['the run failed', 'run-1', () => change(RUN_RECORD.of('run-1').key, { status: 'FAILED' })],
    ['its detail is gone', 'run-1', () => ports.objects.remove(at(RUN_DETAIL.of('run-1').key))],
    ['there are no files at', 'run-1', () => ports.objects.remove(at(MODEL.of('run-1').key))],
    ['an older version stored it', 'run-1', () => withModel('run-1', { inputs: [{ name: 'songs' }] })],
    [
      'the feature catalogue has changed since (gone)',
      'run-1',
      () => withModel('run-1', { inputs: [{ name: 'gone', definition: 'x' }] }),
    ],
    [
      'it predicts 7 days ahead, and the current run 14',
      'run-1',
      () => withModel('run-1', { horizonDays: 7 }),
    ],
  ])('because %s', async (why, runId, prepare) => {
    await prepare();
    const before = current();
    const refused = decide('promote', runId);
    await expect(refused).rejects.toMatchObject({ name: 'InChargeError' });
    await expect(refused).rejects.toThrow(`The model of run ${runId} cannot be put in charge: ${why}`);
    expect(current()).toBe(before);
    expect(json(LEASE.key).holder).toBeNull();
  });

  it('not where the horizon of the current run is not known any more', async () => {
    await ports.objects.remove(at(PLAN.of('run-2').key));
    withModel('run-1', { horizonDays: 7 });
    expect(await decide('promote', 'run-1')).toMatchObject({ before: 'run-2' });
  });

  it('where the run trained no model, and where no run has succeeded', async () => {
    const detail = json(RUN_DETAIL.of('run-1').key);
    change(RUN_DETAIL.of('run-1').key, { training: { ...detail.training, chosen: 'base_rate' } });
    await expect(decide('promote', 'run-1')).rejects.toThrow('it trained none: too few users cancel');
    change(RUN_DETAIL.of('run-1').key, { training: null });
    await expect(decide('promote', 'run-1')).rejects.toThrow('it trained none');
    await ports.objects.remove(at(CURRENT.key));
    await expect(decide('promote', 'run-1')).rejects.toThrow(/No run .* has succeeded yet/);
  });

  it('when the pointer changes at the same moment', async () => {
    ports.before = (call, uri) => {
      if (call !== 'objects.write' || !uri.endsWith(CURRENT.key)) return;
      ports.before = undefined;
      change(CURRENT.key, { manual: null, batchId: 'other' });
    };
    await expect(decide('promote', 'run-1')).rejects.toThrow(/was changed by another process/);
  });

  function change(key: string, fields: object): void {
    ports.objects.put(at(key), `${JSON.stringify({ ...json(key), ...fields })}\n`);
  }
});
