/** The figures that StoreMetrics keeps of a run: rows of tables, measurements, the list and the card of the model. */
import { beforeEach, describe, expect, it } from 'vitest';
import { MODEL_METRICS, RUNS } from '../../../domain/lake.ts';
import {
  CAMPAIGN,
  CAMPAIGN_TAG,
  METRIC_ROWS,
  MODEL,
  MODEL_CARD,
  RUN_DETAIL,
  RUN_RECORD,
} from '../../../domain/lake-objects.ts';
import { modelCardSchema } from '../../../domain/model-card.ts';
import { MONEY_METRICS } from '../../../domain/money-metrics.ts';
import { runDetailSchema } from '../../../domain/records.ts';
import { measurements } from '../../../lambda/store-metrics/measurements.ts';
import { endedRun, jsonIn, linesIn, storeRun } from '../../support/ended-run.ts';
import type { MemoryPorts } from '../../support/memory-ports.ts';
import { at, championTest, EVENTS, putResult, runSteps, SCORING } from '../../support/run-fixture.ts';
import { slicesOf } from '../../support/slices-fixture.ts';

let ports: MemoryPorts;
beforeEach(async () => {
  ports = await endedRun();
});
const store = (runId?: string) => storeRun(ports, runId);
const json = (key: string) => jsonIn(ports, key);
const lines = (key: string) => linesIn(ports, key);

describe('StoreMetrics for a run that reached its end', () => {
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
});
