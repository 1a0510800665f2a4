/** What is current after a second run: the model in charge, and what later runs are planned with. */
import { beforeEach, describe, expect, it } from 'vitest';
import { CHOICE, CURRENT, LEASE, METRIC_ROWS, RUN_DETAIL, RUN_RECORD } from '../../../domain/lake-objects.ts';
import { runDetailSchema, runRecordSchema } from '../../../domain/records.ts';
import { measurements } from '../../../lambda/store-metrics/measurements.ts';
import { summarize } from '../../../lambda/store-metrics/success-text.ts';
import { endedRun, jsonIn, linesIn, storeRun } from '../../support/ended-run.ts';
import type { MemoryPorts } from '../../support/memory-ports.ts';
import {
  at,
  championTest,
  EVENTS,
  plan,
  planOf,
  runSteps,
  runWithoutTraining,
} from '../../support/run-fixture.ts';

let ports: MemoryPorts;
beforeEach(async () => {
  ports = await endedRun();
});
const store = (runId?: string) => storeRun(ports, runId);
const json = (key: string) => jsonIn(ports, key);
const lines = (key: string) => linesIn(ports, key);

describe('StoreMetrics after another run', () => {
  const again = async (training: Parameters<typeof runSteps>[2]) => {
    await store();
    ports.executions.set('run-1', 'SUCCEEDED');
    await plan(ports, 'run-2', { force: true });
    runSteps(ports, 'run-2', training);
    await store('run-2');
    return runRecordSchema.parse(lines(RUN_RECORD.of('run-2').key)[0]);
  };
  const failing = { reliable: false, reliabilityReason: 'too few' };
  const champion = championTest({ runId: 'run-1' });

  it('keeps the champion, which has scored, when the new model fails', async () => {
    const record = await again({ champion, ...failing });
    expect(record).toMatchObject({ promoted: false, model: 'logistic_regression' });
    expect(json(CURRENT.key)).toMatchObject({
      runId: 'run-2',
      champion: { runId: 'run-1' },
      scoredUnder: 'run-1',
    });
  });

  it('replaces the champion by a model that is not worse on the same rows, and records the comparison', async () => {
    const record = await again({ champion });
    expect(record).toMatchObject({ promoted: true, model: 'boosted_trees' });
    expect(record.promotion_reason).toContain('differs by +0.15 (-0.20 to +0.50)');
    expect(json(CURRENT.key)).toMatchObject({ champion: { runId: 'run-2' }, scoredUnder: 'run-2' });
  });

  it('remembers an unusable champion, but does not score again and again because of it', async () => {
    const unusable = championTest({ runId: 'run-1', notUsable: 'its files are gone', evaluation: null });
    expect(await again({ champion: unusable, ...failing })).toMatchObject({ model: 'base_rate' });
    expect(json(CURRENT.key)).toMatchObject({ champion: { runId: 'run-1' }, scoredUnder: 'run-1' });
  });

  it('shows the figures of the model that scored', async () => {
    await again({ champion, ...failing });
    const detail = runDetailSchema.parse(json(RUN_DETAIL.of('run-2').key));
    expect(measurements(detail).areaUnderRocCurve).toBe(0.75);
    expect(lines(METRIC_ROWS.of('run-2').key).find(({ metric }) => metric === 'psi.raw_score').model).toBe(
      'logistic_regression',
    );
  });

  it('stores no figures of models and keeps the champion when nothing was trained, and says why', async () => {
    await store();
    ports.executions.set('run-1', 'SUCCEEDED');
    const before = json(CURRENT.key);
    ports.objects.put(`${EVENTS}/2018-12-04.json`, 'events');
    await plan(ports, 'run-2');
    await runWithoutTraining(ports, 'run-2');
    await store('run-2');
    const detail = runDetailSchema.parse(json(RUN_DETAIL.of('run-2').key));
    const why =
      'nothing is known that the training of run run-1 did not have; the newest cutoff with known outcomes is still 2018-11-19';
    expect(detail).toMatchObject({ training: null, trainingDecision: { decision: 'skip', reason: why } });
    expect(detail.record).toMatchObject({
      model: 'boosted_trees',
      promoted: false,
      promotion_reason: `the model of run run-1 is in charge (no day of the log has passed since its test), and nothing was trained: ${why}`,
    });
    const rows = lines(METRIC_ROWS.of('run-2').key);
    expect(rows.every(({ metric, model }) => metric.startsWith('psi.') && model === 'boosted_trees')).toBe(
      true,
    );
    expect(measurements(detail)).not.toHaveProperty('areaUnderRocCurve');
    expect(summarize(detail)).toContain(
      'Model: Gradient-boosted trees, nothing trained: the model of run run-1',
    );
    expect(json(CURRENT.key)).toEqual({
      ...before,
      ...{ runId: 'run-2', batchId: detail.plan.batch.batchId, observationEnd: '2018-12-03' },
    });
  });

  it('remembers what was learnt from even where the model was refused, so that it is not trained again', async () => {
    const learnt = (runId: string) => ({
      runId,
      fingerprint: planOf(ports, runId).train.fingerprint,
      testCutoff: '2018-11-19',
      cutoffs: { '2018-10-22': '1', '2018-11-05': '1', '2018-11-19': '1' },
    });
    await again({ champion, ...failing });
    expect(json(CURRENT.key).lastTraining).toEqual(learnt('run-2'));
    ports.executions.set('run-2', 'SUCCEEDED');
    ports.objects.put(`${EVENTS}/2018-12-04.json`, 'events');
    await plan(ports, 'run-3');
    await runWithoutTraining(ports, 'run-3');
  });

  it('remembers that the probabilities of the champion were not believed, until it is tested again', async () => {
    const { evaluation } = champion;
    const reliability = [{ predicted: 0.12, observed: 0.04, users: 1_000 }];
    const doubted = {
      ...champion,
      evaluation: evaluation === null ? null : { ...evaluation, reliability },
    };
    await again({ champion: doubted, ...failing });
    expect(json(CURRENT.key).champion).toMatchObject({ runId: 'run-1', withheld: true });
    ports.executions.set('run-2', 'SUCCEEDED');
    ports.objects.put(`${EVENTS}/2018-12-04.json`, 'events');
    await plan(ports, 'run-3');
    await runWithoutTraining(ports, 'run-3');
    expect(json(CHOICE.of('run-3').key)).toMatchObject({ list: 'order only', scorer: { runId: 'run-1' } });
    await store('run-3');
    expect(json(CURRENT.key).champion).toMatchObject({ withheld: true });
  });

  it('keeps what is current when the new run is of an earlier day', async () => {
    await store();
    const before = { ...json(CURRENT.key), observationEnd: '2018-12-09' };
    ports.objects.put(at(CURRENT.key), JSON.stringify(before));
    ports.executions.set('run-1', 'SUCCEEDED');
    await plan(ports, 'run-2', { force: true });
    runSteps(ports, 'run-2', { champion });
    await store('run-2');
    expect(json(CURRENT.key)).toEqual(before);
    expect(lines(RUN_RECORD.of('run-2').key)[0]).toMatchObject({ status: 'SUCCEEDED', promoted: false });
    expect(json(LEASE.key).holder).toBeNull();
  });

  it('makes nothing current when another model was put in charge since it was planned', async () => {
    await store();
    ports.executions.set('run-1', 'SUCCEEDED');
    await plan(ports, 'run-2', { force: true });
    runSteps(ports, 'run-2', { champion });
    const changed = { ...json(CURRENT.key), champion: null };
    ports.objects.put(at(CURRENT.key), JSON.stringify(changed));
    await expect(store('run-2')).rejects.toMatchObject({ name: 'ChampionChanged' });
    expect(json(CURRENT.key)).toEqual(changed);
    expect(ports.objects.text(at(RUN_RECORD.of('run-2').key))).toBeUndefined();
  });

  it('writes what is current only over the version that it was planned with', async () => {
    await store();
    ports.executions.set('run-1', 'SUCCEEDED');
    await plan(ports, 'run-2', { force: true });
    runSteps(ports, 'run-2', { champion });
    const changed = { ...json(CURRENT.key), champion: null };
    ports.before = (call, uri) => {
      if (call === 'objects.write' && uri.endsWith(CURRENT.key)) {
        ports.before = undefined;
        ports.objects.put(uri, JSON.stringify(changed));
      }
    };
    await expect(store('run-2')).rejects.toMatchObject({ name: 'ChampionChanged' });
    expect(json(CURRENT.key)).toEqual(changed);
  });
});
