import { describe, expect, it } from 'vitest';
import { jsonBytes, sizeLocally, sizeOnEmr } from '../../domain/sizing.ts';

const GB = 1e9;
const onlyNew = (bytes: number) => ({ newBytes: bytes, historyBytes: bytes });

describe('the size of a run on EMR', () => {
  it.each([
    [1 * GB, 3, 1],
    [12 * GB, 3, 2],
    [1_000 * GB, 11, 15],
  ])('gives %d bytes %d units and at most %d USD', (bytes, units, usd) => {
    const { cluster } = sizeOnEmr(onlyNew(bytes), 'us-east-1');
    expect(cluster.coreUnits + cluster.taskUnits).toBe(units);
    expect(cluster.executors).toBe(units);
    expect(cluster.estimatedUsd).toBeGreaterThan(0.1);
    expect(cluster.estimatedUsd).toBeLessThanOrEqual(usd);
  });

  it.each([
    // Twice the difference between the larger and the smaller measured log.
    ['ingest', { newBytes: 1_000 * GB, historyBytes: 0 }, (2 * (320 - 61)) / (10.9 - 1.31)],
    // Two cores during the three steps after ingest.
    ['training', { newBytes: 0, historyBytes: 1_000 * GB }, (2 * (12 + 36 + 11)) / 1.31],
  ])(
    'counts the measured CPU seconds per GB for %s, plus 20 minutes of fixed time',
    (_, volume, secondsPerGb) => {
      const { executors, estimatedMinutes } = sizeOnEmr(volume, 'us-east-1').cluster;
      expect(executors).toBe(Math.ceil((1_000 * secondsPerGb) / (4 * 3_600)));
      expect(estimatedMinutes).toBe(Math.ceil(20 + (1_000 * secondsPerGb) / (4 * executors) / 60));
    },
  );

  it('never has an empty fleet or more units than the maximum', () => {
    for (const bytes of [0, 1, GB, 100 * GB, 1e15]) {
      const { cluster } = sizeOnEmr(onlyNew(bytes), 'us-east-1');
      expect(cluster.taskUnits).toBeGreaterThanOrEqual(1);
      expect(cluster.coreUnits).toBeGreaterThanOrEqual(2);
      expect(cluster.executors).toBeLessThanOrEqual(64);
    }
  });

  it('has a longer time and a higher cost beyond the largest cluster', () => {
    const [large, larger] = [1e14, 2e14].map((bytes) => sizeOnEmr(onlyNew(bytes), 'us-east-1').cluster);
    expect(larger?.estimatedMinutes).toBeGreaterThan(1.9 * (large?.estimatedMinutes ?? 0));
    expect(larger?.estimatedUsd).toBeGreaterThan(1.9 * (large?.estimatedUsd ?? 0));
  });

  it('grows with the history that is trained on, without counting its ingest again', () => {
    const day = sizeOnEmr({ newBytes: GB, historyBytes: 1_000 * GB }, 'us-east-1');
    expect(day.cluster.executors).toBeGreaterThan(3);
    expect(day.shufflePartitions).toBe(sizeOnEmr(onlyNew(GB), 'us-east-1').shufflePartitions);
  });

  it('has no more boosting workers than slots on core nodes, which stay when spot instances are reclaimed', () => {
    for (const bytes of [0, GB, 12 * GB, 1_000 * GB, 1e14, 1e15]) {
      const { cluster, boostingWorkers } = sizeOnEmr(onlyNew(bytes), 'us-east-1');
      expect(boostingWorkers).toBeLessThanOrEqual(cluster.coreUnits * 4);
    }
    const { cluster, boostingWorkers } = sizeOnEmr({ newBytes: 0, historyBytes: 1e15 }, 'us-east-1');
    expect(boostingWorkers).toBe(cluster.coreUnits * 4);
  });

  it('has the same number of boosting workers from one day to the next', () => {
    const workers = [10, 10.2, 10.4].map(
      (size) => sizeOnEmr({ newBytes: 0.2 * GB, historyBytes: size * GB }, 'us-east-1').boostingWorkers,
    );
    expect(new Set(workers).size).toBe(1);
  });

  it('costs more in Regions whose prices are not known', () => {
    const usd = (region: string) => sizeOnEmr(onlyNew(12 * GB), region).cluster.estimatedUsd;
    expect(usd('sa-east-1')).toBeGreaterThan(1.5 * usd('us-east-1'));
  });
});

describe("the partitioning of a run's work", () => {
  it.each([
    [0, 4, 1],
    [1.31 * GB, 20, 1],
    [11.5 * GB, 172, 6],
    [1_000 * GB, 2_000, 16],
  ])(
    'gives %d bytes %d shuffle partitions and %d slices per day',
    (bytes, shufflePartitions, slicesPerDay) => {
      expect(sizeLocally(onlyNew(bytes))).toMatchObject({ shufflePartitions, slicesPerDay });
      expect(sizeOnEmr(onlyNew(bytes), 'us-east-1')).toMatchObject({ shufflePartitions, slicesPerDay });
    },
  );
});

it('a gzip file counts with its uncompressed size', () => {
  const files = [
    { uri: 's3://raw/a.json', bytes: 100 },
    { uri: 's3://raw/b.json.gz', bytes: 100 },
  ];
  expect(jsonBytes(files)).toBe(1_100);
});
