/** The index of the ledger: whatever happens to it, it says what the ledger says. */
import { beforeEach, describe, expect, it } from 'vitest';
import { INDEX_FORMAT, type IndexEntry } from '../../../domain/file-index.ts';
import { compareKeys } from '../../../domain/key-order.ts';
import { FILE_INDEX, INDEX_SHARD, LEDGER } from '../../../domain/lake-objects.ts';
import { allOf } from '../../../lambda/ports/pages.ts';
import { listLedger } from '../../../lambda/start-training/batches.ts';
import { withFileIndex } from '../../../lambda/start-training/file-index/file-index.ts';
import { MemoryPorts } from '../../support/memory-ports.ts';
import { at, EVENTS, worldOn } from '../../support/run-fixture.ts';
import { seeded } from '../../support/seeded.ts';

/** So small that each way the index is written comes up with a few files. */
const LIMITS = { recentEntries: 6, recentBatches: 3, parts: 2, shardEntries: 4 };

let ports: MemoryPorts;
let batches: number;
beforeEach(() => {
  ports = new MemoryPorts();
  batches = 0;
});

interface File {
  readonly name: string;
  readonly etag: string;
}

/** Enters a batch in the ledger, as ingest does: five rows of each file were accepted. */
function ledger(files: readonly File[]): string {
  batches += 1;
  const batchId = batches.toString(16).padStart(16, '0');
  const rows = files.map(({ name, etag }) => ({
    uri: `${EVENTS}/${name}`,
    etag,
    bytes: 10,
    batch_id: batchId,
    rows_read: 6,
    rows_accepted: 5,
    rows_quarantined: 1,
    rows_duplicate: 0,
    days: '{}',
  }));
  ports.objects.put(at(LEDGER.of(batchId).key), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  ports.clock.advance(60_000);
  return batchId;
}

async function read(limits = LIMITS) {
  const world = worldOn(ports);
  return withFileIndex(
    world,
    await listLedger(world.lake),
    async (index) => ({ rows: index.rows, entries: await allOf(index.entries('')) }),
    limits,
  );
}

/** What the index must say, worked out from the ledger in memory. */
function truth() {
  const versions = new Map<string, IndexEntry[]>();
  let rows = 0;
  for (const uri of ports.objects.uris().filter((each) => each.startsWith(at(LEDGER.folder)))) {
    for (const line of (ports.objects.text(uri) ?? '').split('\n').filter((each) => each !== '')) {
      const row = JSON.parse(line);
      rows += row.rows_accepted;
      const entry = { uri: row.uri, etag: row.etag, bytes: row.bytes, batchId: row.batch_id, rows: 5 };
      versions.set(row.uri, [...(versions.get(row.uri) ?? []), entry]);
    }
  }
  const entries = [...versions].sort(([a], [b]) => compareKeys(a, b)).map(([, all]) => all);
  return { rows, entries };
}

async function expectTruth(context = '', limits = LIMITS): Promise<void> {
  const { rows, entries } = await read(limits);
  const expected = truth();
  expect(rows, context).toBe(expected.rows);
  expect(entries.length, context).toBe(expected.entries.length);
  entries.forEach((entry, number) => {
    expect(entry, context).toEqual(expected.entries[number]?.at(-1));
  });
}

const files = (from: number, to: number, etag = 'e1'): File[] =>
  Array.from({ length: to - from }, (_, index) => ({
    name: `${String(from + index).padStart(4, '0')}.json`,
    etag,
  }));
const shards = (): readonly string[] =>
  ports.objects.uris().filter((uri) => uri.startsWith(at(INDEX_SHARD.folder)));
const stored = () => JSON.parse(ports.objects.text(at(FILE_INDEX.key)) ?? 'null');

describe('the index of the ledger', () => {
  it('is not written while the ledger is short', async () => {
    ledger(files(0, 3));
    ledger(files(1, 3, 'e2'));
    await expectTruth();
    expect(stored()).toBeNull();
    expect(shards()).toEqual([]);
  });

  it('takes over what the ledger holds, and is then read instead of it', async () => {
    for (let batch = 0; batch < 10; batch += 1) ledger(files(batch * 2, batch * 2 + 3, `e${batch}`));
    await expectTruth();
    expect(stored().batches.length).toBeGreaterThanOrEqual(8);
    const calls: string[] = [];
    ports.before = (call, uri) => {
      calls.push(`${call} ${uri}`);
    };
    await expectTruth();
    expect(calls.filter((call) => call.startsWith(`objects.lines ${at(LEDGER.folder)}`)).length).toBeLessThan(
      3,
    );
    expect(calls.filter((call) => call.startsWith('objects.write'))).toEqual([]);
  });

  it('has objects of bounded size, in the order of keys, and few parts', async () => {
    for (let batch = 0; batch < 40; batch += 1) {
      ledger(files(batch * 3, batch * 3 + 5, `e${batch}`));
      await read();
      for (const part of stored()?.parts ?? []) {
        const bounds = part.flatMap(({ first, last }: { first: string; last: string }) => [first, last]);
        expect(bounds).toEqual([...bounds].sort(compareKeys));
        for (const { entries } of part) expect(entries).toBeLessThanOrEqual(LIMITS.shardEntries);
      }
      expect(stored()?.parts.length ?? 0).toBeLessThanOrEqual(LIMITS.parts);
    }
    await expectTruth();
  });

  it('takes over one batch of any size, a part at a time', async () => {
    ledger(files(0, 100));
    await read();
    // 25 objects hold them; the others are of the parts that were merged into these.
    expect(shards().length).toBeGreaterThan(40);
    ledger(files(50, 60, 'e2'));
    await expectTruth();
    expect(stored().parts.flat().length).toBeGreaterThan(20);
  });

  it('leaves out objects without an address that begins with the prefix', async () => {
    for (let folder = 0; folder < 10; folder += 1) {
      ledger(files(0, 8).map(({ name, etag }) => ({ name: `${folder}/${name}`, etag })));
    }
    await read();
    const world = worldOn(ports);
    const calls: string[] = [];
    ports.before = (call, uri) => {
      if (call === 'objects.read') calls.push(uri);
    };
    const entries = await withFileIndex(
      world,
      await listLedger(world.lake),
      async (index) => allOf(index.entries(`${EVENTS}/4/`)),
      LIMITS,
    );
    const wanted = entries.filter(({ uri }) => uri.startsWith(`${EVENTS}/4/`));
    expect(wanted).toHaveLength(8);
    expect(calls.length).toBeLessThan(6);
  });

  it('removes objects that it no longer consists of after a day', async () => {
    for (let batch = 0; batch < 30; batch += 1) {
      ledger(files(batch * 3, batch * 3 + 5));
      ports.clock.advance(86_400_000);
      await read();
    }
    const kept = new Set(
      stored()
        .parts.flat()
        .map(({ id }: { id: string }) => at(INDEX_SHARD.of(id).key)),
    );
    expect(shards().length).toBeLessThan(kept.size * 2 + 20);
    for (const uri of kept) expect(shards()).toContain(uri);
  });
});

describe('an index that is not what the ledger says', () => {
  beforeEach(async () => {
    for (let batch = 0; batch < 12; batch += 1) ledger(files(batch * 2, batch * 2 + 4, `e${batch}`));
    await read();
  });

  it.each<[string, () => void]>([
    ['removed', () => void ports.objects.remove(at(FILE_INDEX.key))],
    ['cut short', () => ports.objects.put(at(FILE_INDEX.key), '{"format": 1, "batch')],
    [
      'of another format',
      () => ports.objects.put(at(FILE_INDEX.key), JSON.stringify({ ...stored(), format: 2 })),
    ],
    ['without one of its objects', () => void ports.objects.remove(shards()[1] ?? '')],
    ['with an object cut short', () => ports.objects.put(shards()[1] ?? '', '{"uri": "s3:')],
    ['with an object that lost lines', () => ports.objects.put(shards()[1] ?? '', '')],
    [
      'with an object out of order',
      () => {
        const [uri = ''] = shards();
        const lines = (ports.objects.text(uri) ?? '').trimEnd().split('\n');
        ports.objects.put(uri, `${lines.reverse().join('\n')}\n`);
      },
    ],
    [
      'ahead of a ledger whose batch was removed',
      () => void ports.objects.remove(at(LEDGER.of('0000000000000003').key)),
    ],
    [
      'behind a ledger whose batch was changed',
      () => {
        const uri = at(LEDGER.of('0000000000000003').key);
        ports.objects.put(uri, (ports.objects.text(uri) ?? '').split('\n').slice(1).join('\n'));
      },
    ],
  ])('is rebuilt: %s', async (_, damage) => {
    damage();
    await new Promise((resolve) => setImmediate(resolve));
    const { rows, entries } = await read();
    expect(rows).toBe(truth().rows);
    expect(entries.map(({ uri }) => uri)).toEqual(truth().entries.map(([first]) => first?.uri));
    expect(stored().format).toBe(INDEX_FORMAT);
    await expectTruthOfVersions();
  });

  /** A batch that was written later than its number says would be the newest: only addresses and tags are compared. */
  async function expectTruthOfVersions(): Promise<void> {
    const { entries } = await read();
    entries.forEach(({ etag }, number) => {
      expect(truth().entries[number]?.map((version) => version.etag)).toContain(etag);
    });
  }
});

describe('an entry', () => {
  /** Rows of the ledger in batches of their own, and the entry that the index has of them. */
  async function entryAfter(...rows: readonly Record<string, unknown>[]) {
    for (const row of rows) {
      batches += 1;
      const batchId = batches.toString(16).padStart(16, '0');
      const whole = { uri: `${EVENTS}/a.json`, etag: `e${batches}`, bytes: 1, rows_accepted: 5, ...row };
      ports.objects.put(at(LEDGER.of(batchId).key), `${JSON.stringify(whole)}\n`);
      ports.clock.advance(60_000);
    }
    const { entries, rows: held } = await read();
    return { ...entries[0], held };
  }

  it('has the newest version only, and counts rows that were taken away no longer', async () => {
    const entry = await entryAfter({ days: '{}' }, { days: '{}', rows_taken_away: 4 });
    expect(entry).toEqual({
      uri: `${EVENTS}/a.json`,
      etag: 'e2',
      bytes: 1,
      batchId: '0000000000000002',
      rows: 5,
      held: 6,
    });
  });

  it('says of a file that it was taken out', async () => {
    const taken = { taken_out: true, days: null, rows_accepted: 0, rows_taken_away: 5 };
    expect(await entryAfter({ days: '{}' }, taken)).toMatchObject({ takenOut: true, held: 0 });
    expect(await entryAfter({ days: '{}' })).not.toHaveProperty('takenOut');
  });

  it('asks to read a file again of which an older release dropped copies or kept a former version', async () => {
    expect(await entryAfter({})).not.toHaveProperty('again');
    expect(await entryAfter({})).toMatchObject({ again: true });
    expect(await entryAfter({ days: '{}' })).not.toHaveProperty('again');
    ports = new MemoryPorts();
    expect(await entryAfter({ rows_duplicate: 1 })).toMatchObject({ again: true });
  });
});

it('a damaged object of the ledger itself is an error', async () => {
  ledger(files(0, 3));
  ports.objects.put(at(LEDGER.of('00000000000000ff').key), '{"uri": 1}\n');
  await expect(read()).rejects.toMatchObject({ name: 'InvalidResult' });
});

it('whatever is delivered and wherever a run dies, the index says what the ledger says', async () => {
  const random = seeded(2026);
  for (let trial = 0; trial < 60; trial += 1) {
    ports = new MemoryPorts();
    batches = 0;
    for (let step = 0; step < 12; step += 1) {
      const from = random(20);
      ledger(files(from, from + random(12), `e${random(4)}`));
      if (random(2) === 0) {
        let left = random(25);
        ports.before = () => {
          left -= 1;
          if (left < 0) throw new Error('the Lambda is gone');
        };
        await read().catch((error: unknown) => expect(String(error)).toContain('the Lambda is gone'));
        ports.before = undefined;
      }
      if (random(3) === 0) await expectTruth(`trial ${trial}, step ${step}`);
      ports.clock.advance(random(2) * 86_400_000);
    }
    await expectTruth(`trial ${trial}`);
  }
});
