import { beforeEach, describe, expect, it } from 'vitest';
import { MODEL_METRICS, RUNS } from '../../../domain/lake.ts';
import {
  CAMPAIGN,
  CAMPAIGN_TAG,
  CHOICE,
  CURRENT,
  CUTOFF_GRID,
  LEASE,
  METRIC_ROWS,
  MODEL,
  MODEL_CARD,
  modelFolder,
  RUN_DETAIL,
  RUN_RECORD,
} from '../../../domain/lake-objects.ts';
import { modelCardSchema } from '../../../domain/model-card.ts';
import { MONEY_METRICS } from '../../../domain/money-metrics.ts';
import { runDetailSchema, runRecordSchema } from '../../../domain/records.ts';
import { measurements } from '../../../lambda/store-metrics/measurements.ts';
import { storeMetrics } from '../../../lambda/store-metrics/store-metrics.ts';
import { summarize } from '../../../lambda/store-metrics/success-text.ts';
import { arnOf, MemoryPorts } from '../../support/memory-ports.ts';
import {
  answerReconcileQuery,
  at,
  championTest,
  EVENTS,
  INGEST,
  plan,
  planOf,
  putResult,
  runSteps,
  runWithoutTraining,
  SCORING,
  storeMetricsInput,
  worldOn,
} from '../../support/run-fixture.ts';
import { slicesOf } from '../../support/slices-fixture.ts';

let ports: MemoryPorts;

beforeEach(async () => {
  ports = new MemoryPorts();
  ports.objects.put(`${EVENTS}/2018-10-01.json`, 'events');
  await plan(ports, 'run-1');
  runSteps(ports, 'run-1');
});

const store = (runId = 'run-1') => storeMetrics(storeMetricsInput(runId), worldOn(ports));
const json = (key: string) => JSON.parse(ports.objects.text(at(key)) ?? 'null');
const lines = (key: string) =>
  (ports.objects.text(at(key)) ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

describe('StoreMetrics for a run that reached its end', () => {
  it('records the run, makes it current, removes its markers and releases its lease', async () => {
    ports.clock.advance(1_800_000);
    await store();
    expect(lines(RUN_RECORD.of('run-1').key)).toEqual([
      expect.objectContaining({
        run_id: 'run-1',
        status: 'SUCCEEDED',
        started_at: '2018-12-04T06:00:00.000Z',
        ended_at: '2018-12-04T06:30:00.000Z',
        rows_read: 1_000,
        rows_duplicate: 10,
        users: 1_160,
        model: 'boosted_trees',
        promoted: true,
        error: null,
      }),
    ]);
    expect(json(CURRENT.key)).toEqual({
      runId: 'run-1',
      batchId: planOf(ports, 'run-1').batch.batchId,
      champion: {
        runId: 'run-1',
        modelUri: at(modelFolder('run-1')),
        testCutoff: '2018-11-19',
        withheld: false,
        promotedAt: '2018-12-04T06:30:00.000Z',
      },
      scoredUnder: 'run-1',
      observationEnd: '2018-12-03',
      manual: null,
      lastTraining: expect.objectContaining({ runId: 'run-1', testCutoff: '2018-11-19' }),
    });
    expect(json(LEASE.key).holder).toBeNull();
    expect(ports.objects.uris().filter((uri) => uri.includes('/pending/'))).toEqual([]);
  });

  it('writes rows with the columns of their tables', async () => {
    await store();
    const [record] = lines(RUN_RECORD.of('run-1').key);
    expect(Object.keys(record)).toEqual(RUNS.columns.map((column) => column.name));
    const rows = lines(METRIC_ROWS.of('run-1').key);
    for (const row of rows)
      expect(Object.keys(row)).toEqual(MODEL_METRICS.columns.map((column) => column.name));
    const forest = { run_id: 'run-1', model: 'random_forest', protocol: 'forward', slice: 'all' };
    const of = (metric: string) => rows.find((row) => row.model === 'random_forest' && row.metric === metric);
    expect(of('auc')).toEqual({
      ...forest,
      metric: 'auc',
      value: 0.757,
      low: 0.757 - 0.06,
      high: 0.757 + 0.06,
    });
    expect(of('brier')).toMatchObject({ low: null, high: null });
    expect(rows.filter(({ metric }) => metric === 'best_f1.threshold')).toHaveLength(5);
  });

  it('stores figures of the retrospective protocol apart from those that count', async () => {
    await store();
    const rows = lines(METRIC_ROWS.of('run-1').key).filter(({ protocol }) => protocol === 'retrospective');
    // Four models, four slices, five figures.
    expect(rows).toHaveLength(80);
    expect(rows).toContainEqual({
      run_id: 'run-1',
      model: 'six_features_random_forest',
      protocol: 'retrospective',
      slice: 'test_reweighted',
      metric: 'f1',
      value: 0.775,
      low: null,
      high: null,
    });
  });

  it('stores the drift of each feature and of the score under the chosen model', async () => {
    await store();
    const rows = lines(METRIC_ROWS.of('run-1').key).filter(({ metric }) => metric.startsWith('psi.'));
    expect(rows.map(({ model, metric, value }) => [model, metric, value])).toEqual([
      ['boosted_trees', 'psi.raw_score', 0.063],
      ['boosted_trees', 'psi.observed_days', 9.6],
      ['boosted_trees', 'psi.adverts_per_free_song_last_7_days', 0.271],
      ['boosted_trees', 'psi.thumbs_down_per_song_last_28_days', 0.118],
      ['boosted_trees', 'psi.active_days_last_7_days', 0.042],
    ]);
  });

  it('stores how the model did on each part of the test users, and of too few users only how many they are', async () => {
    runSteps(ports, 'run-1', {
      champion: championTest(),
      slices: [...slicesOf('challenger', 0.76), ...slicesOf('champion', 0.7)],
    });
    await store();
    const rows = lines(METRIC_ROWS.of('run-1').key).filter(({ slice }) => slice !== 'all');
    const of = (model: string, slice: string) =>
      Object.fromEntries(
        rows
          .filter((row) => row.model === model && row.slice === slice)
          .map(({ metric, value, low, high }) => [metric, [value, low, high]]),
      );
    const free = of('boosted_trees', 'level=free');
    expect(Object.keys(free)).toEqual([
      ...['users', 'cancelled', 'cancellation_rate', 'predicted', 'predicted_over_observed', 'auc'],
    ]);
    expect(free.users).toEqual([420, null, null]);
    expect(free.predicted).toEqual([22.1, null, null]);
    expect(free.predicted_over_observed[0]).toBeCloseTo(22.1 / 25, 12);
    expect(of('champion', 'level=free').auc[0]).toBe(0.7);
    expect(of('boosted_trees', 'device=Linux')).toEqual({ users: [49, null, null] });
    // Nobody of the segment has cancelled: nothing can be ranked, and no ratio has a value.
    expect(Object.keys(of('champion', 'segment=1'))).toEqual([
      'users',
      'cancelled',
      'cancellation_rate',
      'predicted',
    ]);
  });

  it('measures what alarms watch, with the drift of only those features that may alarm', async () => {
    await store();
    const detail = runDetailSchema.parse(json(RUN_DETAIL.of('run-1').key));
    expect(measurements(detail)).toEqual({
      runsSucceeded: 1,
      rowsRead: 1_000,
      rowsAdapted: 40,
      filesPassedOver: 0,
      filesWithoutEvents: 0,
      daysWithoutEvents: 0,
      sourcesGoneQuiet: 0,
      sourcesNew: 0,
      quarantinePercent: 2,
      reconciliationMismatches: 0,
      modelPromoted: 1,
      costUsd: 0,
      areaUnderRocCurve: 0.763,
      featureDrift: 0.271,
      scoreDrift: 0.063,
    });
    const features = detail.scoring.drift.features.filter(({ feature }) => feature === 'observed_days');
    const exemptOnly = { ...detail, scoring: { ...detail.scoring, drift: { features, score: 0 } } };
    expect(measurements(exemptOnly)).toMatchObject({ featureDrift: 0, scoreDrift: 0 });
  });

  it('writes a summary for the notification', async () => {
    const { summary } = await store();
    expect(summary).toContain(
      '38 of 960 living users are expected to cancel between 2018-12-03 and 2018-12-16.',
    );
    expect(summary).toContain('1,000 rows, of which 970 accepted, 20 refused, 10 duplicates');
    expect(summary).toContain('Gradient-boosted trees (AUC 0.763');
  });

  it('names the list, and gives its file the tag by which the bucket removes it', async () => {
    const uri = at(CAMPAIGN.of('run-1').key);
    ports.objects.put(uri, 'user_id');
    putResult(ports, 'run-1', 'score-users', { ...SCORING, campaign: { uri, users: 1_234 } });
    const { summary } = await store();
    expect(summary).toContain(`List: 1,234 users to contact, expected to earn 85, in ${uri} for 30 days.`);
    expect([...ports.objects.tags]).toEqual([[uri, `${CAMPAIGN_TAG.key}=${CAMPAIGN_TAG.value}`]]);
    const money = lines(METRIC_ROWS.of('run-1').key).filter(({ metric }) => metric.startsWith('money.'));
    expect(money.map(({ metric }) => metric)).toEqual([...MONEY_METRICS]);
    // By hand: 3 users with 1.76 cancellations expected, at .3 * 190 - 1 = 56 saved and 11 for the others.
    const [empc, share, users, profit] = money;
    expect(users.value).toBe(3);
    expect(profit.value).toBeCloseTo(1.76 * 56 - 1.24 * 11, 9);
    expect(profit.low).toBeLessThan(profit.value);
    expect(profit.high - profit.value).toBeCloseTo(profit.value - profit.low, 9);
    expect(empc.value).toBeGreaterThan(0);
    expect(share.value).toBe(0);
  });

  it('names no list where nobody is in charge', async () => {
    putResult(ports, 'run-1', 'score-users', { ...SCORING, campaign: null });
    const { summary } = await store();
    expect(summary).not.toContain('List');
    expect([...ports.objects.tags]).toEqual([]);
  });

  it('has the same effect when it runs twice, and when it dies before any of its writes and is retried', async () => {
    await store();
    const undisturbed = new Map(ports.objects.uris().map((uri) => [uri, ports.objects.text(uri)]));
    await store();
    expect(new Map(ports.objects.uris().map((uri) => [uri, ports.objects.text(uri)]))).toEqual(undisturbed);

    const changes = [
      ...['detail.json', 'tables/runs', 'model_metrics', 'tables/segments', 'tables/feature_ranges'],
      ...['current.json', 'pending/', 'lease.json'],
    ];
    for (const crash of changes) {
      ports = new MemoryPorts();
      ports.objects.put(`${EVENTS}/2018-10-01.json`, 'events');
      await plan(ports, 'run-1');
      runSteps(ports, 'run-1');
      ports.before = (call, uri) => {
        if (/write|remove/.test(call) && uri.includes(crash)) throw new Error('the Lambda is gone');
      };
      await expect(store()).rejects.toThrow('gone');
      ports.before = undefined;
      await store();
      expect(ports.objects.uris()).toEqual([...undisturbed.keys()]);
      for (const uri of ports.objects.uris().filter((one) => !one.endsWith('lease.json'))) {
        expect(ports.objects.text(uri)).toBe(undisturbed.get(uri));
      }
      expect(json(LEASE.key).holder).toBeNull();
    }
  });

  it('terminates a cluster that a retry of CreateCluster left behind', async () => {
    ports.clusters.start('run-1', arnOf('run-1'));
    ports.clusters.start('run-1', arnOf('run-1'), { state: 'TERMINATED' });
    await store();
    expect(await ports.clusters.living()).toEqual([]);
  });

  it('fixes the grid of cutoffs, which later runs are planned with and do not move', async () => {
    expect(planOf(ports, 'run-1').training.cutoffAnchor).toBeNull();
    await store();
    expect(json(CUTOFF_GRID.key)).toEqual({ anchor: '2018-11-19' });
    ports.objects.put(at(CUTOFF_GRID.key), JSON.stringify({ anchor: '2018-11-17' }));
    ports.executions.set('run-1', 'SUCCEEDED');
    await plan(ports, 'run-2', { force: true });
    expect(planOf(ports, 'run-2').training.cutoffAnchor).toBe('2018-11-17');
    runSteps(ports, 'run-2');
    await store('run-2');
    expect(json(CUTOFF_GRID.key)).toEqual({ anchor: '2018-11-17' });
  });

  it('writes the card of the model beside it, with where it comes from and what it is for', async () => {
    const description = {
      kind: 'boosted_trees',
      runId: 'run-1',
      horizonDays: 14,
      testCutoff: '2018-11-19',
      inputs: [{ name: 'songs_per_day', definition: 'abc' }],
      libraries: { spark: '3.5.6' },
    };
    ports.objects.put(at(MODEL.of('run-1').key), JSON.stringify(description));
    await store();
    const card = modelCardSchema.parse(json(MODEL_CARD.of('run-1').key));
    expect(card).toMatchObject({
      runId: 'run-1',
      kind: 'boosted_trees',
      data: {
        snapshots: { events: '8744736658442914487', features: '6216728340239837218' },
        files: [{ uri: `${EVENTS}/2018-10-01.json` }],
        observationEnd: '2018-12-03',
      },
      inputs: [{ name: 'songs_per_day', definition: 'abc' }],
      training: { seed: 20_181_001, horizonDays: 14 },
      release: '0123456789ab',
      libraries: { spark: '3.5.6' },
      figures: { metrics: { auc: { value: 0.763 } } },
    });
    expect(card.catalogue).toMatch(/^[0-9a-f]{64}$/);
    expect(card.limits.join(' ')).toContain('contacted');
  });

  describe('after another run', () => {
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
});

describe('StoreMetrics for a lake that does not hold the counted rows', () => {
  const nothingIsCurrent = () => {
    expect(ports.objects.text(at(CURRENT.key))).toBeUndefined();
    expect(ports.objects.text(at(RUN_RECORD.of('run-1').key))).toBeUndefined();
    expect(json(LEASE.key).holder).toMatchObject({ runId: 'run-1' });
  };

  it.each([
    'events',
    'quarantined_events',
    'ingest_files.rows_accepted',
    'features',
    'scoring_features',
    'scores',
  ])('fails on a wrong count of %s, and makes nothing current', async (table) => {
    answerReconcileQuery(ports, 'run-1', { [table]: '12345' });
    await expect(store()).rejects.toMatchObject({ name: 'ReconciliationFailed' });
    await expect(store()).rejects.toThrow(
      new RegExp(`${table}: 12345 rows were counted, \\d+ were expected`),
    );
    nothingIsCurrent();
  });

  it('fails when rows that were read are not accounted for', async () => {
    const counts = { ...INGEST.counts, read: 1_001 };
    putResult(ports, 'run-1', 'ingest-events', { ...INGEST, counts });
    answerReconcileQuery(ports, 'run-1', { 'ingest_files.rows_read': '1001' });
    await expect(store()).rejects.toThrow(/1001 rows were read, but 1000 accounted for/);
    nothingIsCurrent();
  });

  it('fails when the query result lacks a table', async () => {
    ports.sql.answers.set('run-1', []);
    await expect(store()).rejects.toThrow(/scores: the query's answer has no count of it/);
  });
});

describe('StoreMetrics for a step without a valid result', () => {
  it('names the step when its result is missing', async () => {
    await ports.objects.remove(planOf(ports, 'run-1').outputs.results['train-models']);
    await expect(store()).rejects.toThrow(/no result of train-models at s3:\/\/lake\/runs\/run-1\/results/);
  });

  it('names the step and the field when its result is malformed', async () => {
    putResult(ports, 'run-1', 'score-users', { users: -3 });
    const stored = store();
    await expect(stored).rejects.toMatchObject({ name: 'InvalidResult' });
    await expect(stored).rejects.toThrow(
      /results\/score-users\.json is not what it should be[\s\S]*at users/,
    );
  });
});

describe('StoreMetrics for a run that has been closed in the meantime', () => {
  it('does not make the run current when another run holds the lease', async () => {
    ports.executions.set('run-1', 'TIMED_OUT');
    await plan(ports, 'run-2');
    await expect(store()).rejects.toMatchObject({ name: 'LeaseLost' });
    expect(ports.objects.text(at(CURRENT.key))).toBeUndefined();
  });

  it('does not make the run current when it was recorded as failed at the same moment', async () => {
    const failed = { run_id: 'run-1', status: 'FAILED', started_at: '2018-12-04T06:00:00Z' };
    const record = Object.fromEntries(RUNS.columns.map(({ name }) => [name, null]));
    ports.before = (call, uri) => {
      if (call === 'objects.write' && uri.includes('tables/runs')) {
        ports.objects.put(uri, JSON.stringify({ ...record, ...failed, ended_at: '2018-12-04T07:00:00Z' }));
      }
    };
    await expect(store()).rejects.toMatchObject({ name: 'RunClosed' });
    expect(ports.objects.text(at(CURRENT.key))).toBeUndefined();
  });
});
