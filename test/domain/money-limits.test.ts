/** Sizes and costs exactly at their limits, worked out by hand. */
import { describe, expect, it } from 'vitest';
import { instancesUsd, instanceUsdPerHour, unitUsdPerHourCeiling } from '../../domain/cost.ts';
import { QUARANTINE_RETENTION_DAYS } from '../../domain/lake.ts';
import { expectedCounts } from '../../domain/reconcile.ts';
import { sizeLocally, sizeOnEmr } from '../../domain/sizing.ts';
import { meanUsdPerHour } from '../../domain/spot-price.ts';
import { addDays } from '../../domain/time.ts';
import { FEATURES, INGEST, SCORING } from '../support/run-fixture.ts';

const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;
const bytes = (newBytes: number) => ({ newBytes, historyBytes: newBytes });

describe('a cluster', () => {
  it.each([
    // Bytes, core and task units, minutes: a third of the units is on demand, and at least two are.
    [0, 2, 1, 20],
    [1e9, 2, 1, 21],
    [1e12, 4, 7, 75],
    [2.5e12, 9, 17, 78],
    [1e13, 22, 42, 114],
  ])('for %d bytes has %d core and %d task units and takes %d minutes', (size, core, task, minutes) => {
    const { cluster } = sizeOnEmr(bytes(size), 'us-east-1');
    expect(cluster).toMatchObject({ coreUnits: core, taskUnits: task, estimatedMinutes: minutes });
    // One unit more is the primary; cents are rounded up.
    const usd = (((core + task + 1) * minutes) / 60) * unitUsdPerHourCeiling('us-east-1');
    expect(cluster.estimatedUsd).toBeGreaterThanOrEqual(usd);
    expect(cluster.estimatedUsd).toBeLessThan(usd + 0.01);
    expect(Math.round(cluster.estimatedUsd * 100) / 100).toBe(cluster.estimatedUsd);
  });

  it.each([
    [0, 4],
    [64 * GIBIBYTE, 4],
    [64 * GIBIBYTE + 1, 5],
    [1e15, 88],
  ])('trains %d bytes of history with %d workers', (history, workers) => {
    expect(sizeOnEmr({ newBytes: 0, historyBytes: history }, 'us-east-1').boostingWorkers).toBe(workers);
  });
});

describe('the work', () => {
  it.each([
    [4 * 64 * MEBIBYTE, 4, 1],
    [4 * 64 * MEBIBYTE + 1, 5, 1],
    [2 * GIBIBYTE, 32, 1],
    [2 * GIBIBYTE + 1, 33, 2],
    [32 * GIBIBYTE, 512, 16],
    [125 * GIBIBYTE + 1, 2_000, 16],
  ])('of %d bytes is cut into %d partitions and %d slices a day', (size, shufflePartitions, slicesPerDay) => {
    expect(sizeLocally(bytes(size))).toEqual({
      cluster: { coreUnits: 1, taskUnits: 1, executors: 1, estimatedMinutes: 0, estimatedUsd: 0 },
      shufflePartitions,
      slicesPerDay,
      boostingWorkers: 1,
    });
  });
});

describe('an instance', () => {
  const rate = instanceUsdPerHour('m7g.xlarge', 'us-east-1') ?? 0;

  it.each([
    [0, 60],
    [59, 60],
    [60, 60],
    [61, 61],
    [3_600, 3_600],
  ])('that ran for %d seconds is billed for %d', (seconds, billed) => {
    const usd = instancesUsd([{ instanceType: 'm7g.xlarge', seconds }], 'us-east-1');
    expect(usd).toBeCloseTo((rate * billed) / 3_600, 12);
  });

  it('adds to the others', () => {
    const hour = { instanceType: 'm7g.xlarge', seconds: 3_600 };
    expect(instancesUsd([hour, hour, { ...hour, seconds: 1_800 }], 'us-east-1')).toBeCloseTo(2.5 * rate, 12);
  });

  it.each([
    ['2xlarge', 2],
    ['4xlarge', 4],
    ['8xlarge', 8],
  ])('of the size %s costs %d times an xlarge, storage included', (size, times) => {
    expect(instanceUsdPerHour(`m7g.${size}`, 'us-east-1')).toBeCloseTo(times * rate, 12);
  });

  it.each(['m7g', 'm7g.', 'm7g.large', '.xlarge', 'p5.xlarge', ''])('called "%s" has no price', (type) => {
    expect(instanceUsdPerHour(type, 'us-east-1')).toBeUndefined();
    expect(instancesUsd([{ instanceType: type, seconds: 60 }], 'us-east-1')).toBeUndefined();
  });

  it('costs in the Regions with the base prices what it costs in the base Region, storage included', () => {
    for (const region of ['us-east-2', 'us-west-2']) {
      expect(instanceUsdPerHour('m7g.xlarge', region), region).toBe(rate);
    }
    expect(instanceUsdPerHour('m7g.xlarge', 'us-west-1')).toBeGreaterThan(rate);
  });

  it('on spot costs the less of market and table', () => {
    const at = (ec2UsdPerHour: number) =>
      instancesUsd([{ instanceType: 'm7g.xlarge', seconds: 3_600, ec2UsdPerHour }], 'us-east-1');
    expect(at(0.1632)).toBeCloseTo(rate, 12);
    expect(at(0.1633)).toBeCloseTo(rate, 12);
    expect(at(0.1631)).toBeCloseTo(rate - 0.0001, 12);
    expect(at(0)).toBeCloseTo(rate - 0.1632, 12);
  });
});

describe('a price on the spot market', () => {
  const time = (minute: number): Date => new Date(Date.UTC(2026, 10, 23, 10, minute));
  const change = (minute: number, usdPerHour: number) => ({ at: time(minute), usdPerHour });

  it('that changed at the very start holds from then on', () => {
    expect(meanUsdPerHour([change(-60, 9), change(0, 0.04)], time(0), time(60))).toBe(0.04);
    expect(meanUsdPerHour([change(-60, 9), change(0, 0.04)], time(0), time(0))).toBe(0.04);
  });

  it('that changed at the very end does not count', () => {
    expect(meanUsdPerHour([change(-60, 0.04), change(60, 9)], time(0), time(60))).toBe(0.04);
    expect(meanUsdPerHour([change(60, 9)], time(0), time(60))).toBeUndefined();
  });
});

it.each([
  [QUARANTINE_RETENTION_DAYS - 1, true],
  [QUARANTINE_RETENTION_DAYS, false],
])('quarantined rows of a batch that is %d days old are expected: %s', (days, isExpected) => {
  const planned = '2018-12-04';
  const batch = { batchId: '00aa11bb22cc33dd', ingestDate: addDays(planned, -days), files: [] };
  const counts = expectedCounts({ plannedAt: `${planned}T00:00:00.000Z`, batch }, INGEST, FEATURES, SCORING);
  expect(counts.map(({ table }) => table)).toEqual([
    'events',
    'events.all',
    'page_days',
    ...(isExpected ? ['quarantined_events'] : []),
    'ingest_files.rows_read',
    'ingest_files.rows_accepted',
    'ingest_files.rows_quarantined',
    'ingest_files.rows_duplicate',
    'features',
    'scoring_features',
    'scores',
  ]);
});
