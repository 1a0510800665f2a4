import { describe, expect, it } from 'vitest';
import { jsonBytes, sizeLocally, sizeOnEmr } from '../../domain/sizing.ts';

const GB = 1e9;
const onlyNew = (bytes: number) => ({ newBytes: bytes, historyBytes: bytes });

describe('the size of a run on EMR', () => {
  it.each([
    [1 * GB, 3, 1],
    [12 * GB, 3, 2],
    [1_000 * GB, 11, 15],
  ])('%d bytes take %d units and at most %d USD', (bytes, units, usd) => {
    const { cluster } = sizeOnEmr(onlyNew(bytes), 'us-east-1');
    expect(cluster.coreUnits + cluster.taskUnits).toBe(units);
    expect(cluster.executors).toBe(units);
    expect(cluster.estimatedUsd).toBeGreaterThan(0.1);
    expect(cluster.estimatedUsd).toBeLessThanOrEqual(usd);
  });

  it.each([
    // Twice what the larger measured log took more than the smaller one.
    ['ingest', { newBytes: 1_000 * GB, historyBytes: 0 }, (2 * (320 - 61)) / (10.9 - 1.31)],
    // Two cores over the three steps after ingest.
    ['training', { newBytes: 0, historyBytes: 1_000 * GB }, (2 * (12 + 36 + 11)) / 1.31],
  ])(
    'reckons %s at the measured CPU seconds a GB, and 20 minutes for what does not grow',
    (_, volume, secondsPerGb) => {
      const { executors, estimatedMinutes } = sizeOnEmr(volume, 'us-east-1').cluster;
      expect(executors).toBe(Math.ceil((1_000 * secondsPerGb) / (4 * 3_600)));
      expect(estimatedMinutes).toBe(Math.ceil(20 + (1_000 * secondsPerGb) / (4 * executors) / 60));
    },
  );

  it('never asks for a fleet of nothing, nor for more than the largest', () => {
    for (const bytes of [0, 1, GB, 100 * GB, 1e15]) {
      const { cluster } = sizeOnEmr(onlyNew(bytes), 'us-east-1');
      expect(cluster.taskUnits).toBeGreaterThanOrEqual(1);
      expect(cluster.coreUnits).toBeGreaterThanOrEqual(2);
      expect(cluster.executors).toBeLessThanOrEqual(64);
    }
  });

  it('takes longer and costs more beyond the largest cluster', () => {
    const [large, larger] = [1e14, 2e14].map((bytes) => sizeOnEmr(onlyNew(bytes), 'us-east-1').cluster);
    expect(larger?.estimatedMinutes).toBeGreaterThan(1.9 * (large?.estimatedMinutes ?? 0));
    expect(larger?.estimatedUsd).toBeGreaterThan(1.9 * (large?.estimatedUsd ?? 0));
  });

  it('grows with the history that is trained on, whose ingest it does not repeat', () => {
    const day = sizeOnEmr({ newBytes: GB, historyBytes: 1_000 * GB }, 'us-east-1');
    expect(day.cluster.executors).toBeGreaterThan(3);
    expect(day.shufflePartitions).toBe(sizeOnEmr(onlyNew(GB), 'us-east-1').shufflePartitions);
  });

  it('asks for no more boosting workers than there are slots, and for as many from one day to the next', () => {
    for (const bytes of [0, GB, 12 * GB, 1_000 * GB, 1e15]) {
      const { cluster, boostingWorkers } = sizeOnEmr(onlyNew(bytes), 'us-east-1');
      expect(boostingWorkers).toBeLessThanOrEqual(cluster.executors * 4);
    }
    const workers = [10, 10.2, 10.4].map(
      (size) => sizeOnEmr({ newBytes: 0.2 * GB, historyBytes: size * GB }, 'us-east-1').boostingWorkers,
    );
    expect(new Set(workers).size).toBe(1);
  });

  it('is dearer where prices are not known to be the base ones', () => {
    const usd = (region: string) => sizeOnEmr(onlyNew(12 * GB), region).cluster.estimatedUsd;
    expect(usd('sa-east-1')).toBeGreaterThan(1.5 * usd('us-east-1'));
  });
});

describe('how the work is cut', () => {
  it.each([
    [0, 4, 1],
    [1.31 * GB, 20, 1],
    [11.5 * GB, 172, 6],
    [1_000 * GB, 2_000, 16],
  ])('%d bytes: %d shuffle partitions, %d slices a day', (bytes, shufflePartitions, slicesPerDay) => {
    expect(sizeLocally(onlyNew(bytes))).toMatchObject({ shufflePartitions, slicesPerDay });
    expect(sizeOnEmr(onlyNew(bytes), 'us-east-1')).toMatchObject({ shufflePartitions, slicesPerDay });
  });
});

it('a gzip counts as what it holds', () => {
  const files = [
    { uri: 's3://raw/a.json', bytes: 100 },
    { uri: 's3://raw/b.json.gz', bytes: 100 },
  ];
  expect(jsonBytes(files)).toBe(1_100);
});
