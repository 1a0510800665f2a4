import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lakeSize } from '../../bench/lake-size.ts';
import { WAREHOUSE } from '../../domain/lake.ts';

let lake: string;

beforeEach(() => {
  lake = mkdtempSync(join(tmpdir(), 'lake-'));
});
afterEach(() => rmSync(lake, { recursive: true }));

test('a lake has its files, their bytes, and the snapshots of the current version of each table', async () => {
  writeFileSync(join(lake, 'current.json'), '{}');
  for (const [table, snapshots] of [
    ['events', 3],
    ['features', 2],
  ] as const) {
    const metadata = join(lake, WAREHOUSE, 'churn', table, 'metadata');
    mkdirSync(metadata, { recursive: true });
    writeFileSync(join(metadata, 'version-hint.text'), '2');
    writeFileSync(join(metadata, 'v1.metadata.json'), '{"snapshots": [{}, {}, {}, {}]}');
    const current = { snapshots: Array.from({ length: snapshots }, () => ({ 'snapshot-id': 1 })) };
    writeFileSync(join(metadata, 'v2.metadata.json'), JSON.stringify(current));
  }
  const { bytes, files, snapshots } = await lakeSize(lake);
  expect([files, snapshots]).toEqual([7, 5]);
  expect(bytes).toBe(2 + 2 * (1 + 31) + '{"snapshots":[]}'.length * 2 + 5 * '{"snapshot-id":1}'.length + 3);
});
