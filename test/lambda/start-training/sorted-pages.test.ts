/** Comparing and merging streams: against plain maps, for random logs. */
import { describe, expect, it } from 'vitest';
import type { IndexEntry } from '../../../domain/file-index.ts';
import { compareKeys } from '../../../domain/key-order.ts';
import type { EventFile } from '../../../domain/run.ts';
import { allOf } from '../../../lambda/ports/pages.ts';
import {
  ascending,
  compareFiles,
  mergeEntries,
  sortEntries,
} from '../../../lambda/start-training/file-index/sorted-pages.ts';
import { pagesOf } from '../../support/pages-of.ts';
import { seeded } from '../../support/seeded.ts';

const file = (uri: string, etag: string): EventFile => ({ uri, etag, bytes: 1 });
const entry = (uri: string, etag: string, batchId = 'b'): IndexEntry => ({
  uri,
  etag,
  bytes: 1,
  batchId,
  rows: 1,
});
const inOrder = <Item extends { readonly uri: string }>(items: readonly Item[]): Item[] =>
  [...items].sort((a, b) => compareKeys(a.uri, b.uri));
const KEYS = ['a', 'a-', 'a/', 'a/b', 'b', 'é', '\uff5e', '\u{1f600}', '\u{1f600}/c', 'z'];

describe('a listing compared with the index', () => {
  it('has what is new, changed, known and gone, each once and in order, for random logs', async () => {
    const random = seeded(11);
    for (let trial = 0; trial < 500; trial += 1) {
      const some = () => KEYS.filter(() => random(2) === 0);
      const listed = new Map(some().map((key) => [key, `e${random(3)}`]));
      const flags = [{}, {}, { takenOut: true as const }, { again: true as const }];
      const ingested = new Map(
        some().map((key) => [key, { etag: `e${random(3)}`, ...flags[random(flags.length)] }]),
      );
      const statuses = await allOf(
        compareFiles(
          pagesOf(inOrder([...listed].map(([uri, etag]) => file(uri, etag))), 1 + random(4)),
          pagesOf(
            inOrder([...ingested].map(([uri, held]) => ({ ...entry(uri, held.etag), ...held }))),
            1 + random(4),
          ),
        ),
      );
      const expected = [...new Set([...listed.keys(), ...ingested.keys()])]
        .sort(compareKeys)
        .flatMap((uri) => {
          const [etag, known] = [listed.get(uri), ingested.get(uri)];
          const isHeld = known !== undefined && !('takenOut' in known);
          if (etag === undefined) return isHeld ? [[uri, 'gone']] : [];
          if (!isHeld) return [[uri, 'new']];
          return [[uri, etag === known.etag && !('again' in known) ? 'known' : 'changed']];
        });
      expect(
        statuses.map((status) => [status.kind === 'gone' ? status.entry.uri : status.file.uri, status.kind]),
      ).toEqual(expected);
    }
  });
});

describe('parts of the index merged', () => {
  it('have each address once, with its newest version, for random parts', async () => {
    const random = seeded(12);
    for (let trial = 0; trial < 500; trial += 1) {
      const versions = new Map<string, string[]>();
      const parts = Array.from({ length: random(5) }, (_, part) =>
        inOrder(KEYS.filter(() => random(2) === 0).map((uri) => entry(uri, `e${random(3)}`, `b${part}`))),
      );
      for (const { uri, etag } of parts.flat()) versions.set(uri, [...(versions.get(uri) ?? []), etag]);
      const merged = await allOf(mergeEntries(parts.map((part) => pagesOf(part, 1 + random(3)))));
      expect(merged).toEqual(sortEntries(parts.flat()));
      expect(merged.map(({ uri }) => uri)).toEqual([...versions.keys()].sort(compareKeys));
      for (const { uri, etag } of merged) expect(etag).toBe(versions.get(uri)?.at(-1));
    }
  });

  it('are closed when the reader stops', async () => {
    let closed = 0;
    const part = async function* () {
      try {
        for (let page = 0; ; page += 1) yield [entry(`${page}`.padStart(9, '0'), 'e')];
      } finally {
        closed += 1;
      }
    };
    for await (const page of mergeEntries([part(), part()])) {
      expect(page.length).toBeGreaterThan(0);
      break;
    }
    expect(closed).toBe(2);
  });
});

describe('the order of a stream', () => {
  const disorder = (last: string, next: string) => new Error(`${next} after ${last}`);

  it('is that of keys, and an address that comes twice in a row comes once', async () => {
    const items = ['a', 'a', 'b', '\uff5e', '\u{1f600}', '\u{1f600}'].map((uri) => file(uri, 'e'));
    const seen = await allOf(ascending(pagesOf(items, 2), disorder));
    expect(seen.map(({ uri }) => uri)).toEqual(['a', 'b', '\uff5e', '\u{1f600}']);
  });

  it('is checked from page to page', async () => {
    const items = ['b', 'c', 'a'].map((uri) => file(uri, 'e'));
    await expect(allOf(ascending(pagesOf(items, 2), disorder))).rejects.toThrow('a after c');
  });
});

it('of 300,000 files in 16 parts only a few pages are held at a time', async () => {
  const files = 300_000;
  const page = 1_000;
  const key = (index: number): string => `s3://raw/events/${String(index).padStart(9, '0')}.json`;
  const held = { now: 0, most: 0 };
  const counted = async function* <Item>(pages: AsyncIterable<readonly Item[]>) {
    for await (const items of pages) {
      held.now += items.length;
      held.most = Math.max(held.most, held.now);
      yield items;
    }
  };
  const part = (number: number) =>
    (function* () {
      for (let index = number; index < files; index += 16) yield entry(key(index), 'e');
    })();
  const listing = (function* () {
    for (let index = 0; index < files; index += 1)
      yield file(key(index), index % 100 === 0 ? 'changed' : 'e');
  })();
  const parts = Array.from({ length: 16 }, (_, number) => counted(pagesOf(part(number), page)));
  const counts = { known: 0, changed: 0, new: 0, gone: 0 };
  for await (const statuses of compareFiles(counted(pagesOf(listing, page)), mergeEntries(parts))) {
    for (const { kind } of statuses) counts[kind] += 1;
    // Each status comes from a listed file and an entry.
    held.now -= 2 * statuses.length;
  }
  expect(counts).toEqual({ known: 297_000, changed: 3_000, new: 0, gone: 0 });
  expect(held.most).toBeLessThan(25 * page);
});
