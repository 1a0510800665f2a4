/** The sorted parts of the index: how they are written, read and merged. */
import { randomUUID } from 'node:crypto';
import type { IndexEntry, IndexPart, IndexShard, StoredFileIndex } from '../../../domain/file-index.ts';
import { compareKeys } from '../../../domain/key-order.ts';
import { INDEX_SHARD } from '../../../domain/lake-objects.ts';
import { type Pages, readAhead } from '../../ports/pages.ts';
import type { Lake } from '../../run/lake.ts';
import type { World } from '../../run/world.ts';
import { ascending, mergeEntries } from './sorted-pages.ts';

/** The index does not hold what it says it holds: it has to be rebuilt. */
export class DamagedIndex extends Error {
  override readonly name = 'DamagedIndex';
}

/** A part takes part in a merge unless it is more than this many times as large as all newer parts together. */
const MERGED_SIZE_RATIO = 2;
/** Objects that are no longer in the index may still be read by an attempt that began before. */
const KEPT_MILLISECONDS = 24 * 3_600_000;

/** Writes sorted entries as a part of objects of at most that many entries. */
export async function writePart(
  lake: Lake,
  entries: Pages<IndexEntry>,
  shardEntries: number,
): Promise<IndexPart> {
  const part: IndexShard[] = [];
  const waiting: IndexEntry[] = [];
  for await (const page of entries) {
    waiting.push(...page);
    while (waiting.length >= shardEntries) part.push(await writeShard(lake, waiting.splice(0, shardEntries)));
  }
  if (waiting.length > 0) part.push(await writeShard(lake, waiting));
  return part;
}

async function writeShard(lake: Lake, entries: readonly IndexEntry[]): Promise<IndexShard> {
  const id = randomUUID();
  await lake.write(INDEX_SHARD.of(id), entries);
  return { id, first: entries[0]?.uri ?? '', last: entries.at(-1)?.uri ?? '', entries: entries.length };
}

/**
 * The entries of a part; objects that hold no address with that prefix are not read.
 * @throws DamagedIndex while it is iterated over
 */
export function readPart(lake: Lake, part: IndexPart, prefix = ''): Pages<IndexEntry> {
  const wanted = part.filter(({ first, last }) => mayHold(first, last, prefix));
  const shards = async function* () {
    for (const shard of wanted) yield await readShard(lake, shard);
  };
  return ascending(
    readAhead(shards(), 1),
    (last, next) => new DamagedIndex(`it has ${next} after ${last}, which is not the order of keys`),
  );
}

async function readShard(lake: Lake, { id, entries }: IndexShard): Promise<readonly IndexEntry[]> {
  const shard = await lake.glimpse(INDEX_SHARD.of(id));
  if (shard?.length === entries) return shard;
  const found =
    shard === undefined ? 'absent or malformed' : `of ${shard.length} entries instead of ${entries}`;
  throw new DamagedIndex(`${lake.uri(INDEX_SHARD.of(id))} is ${found}`);
}

function mayHold(first: string, last: string, prefix: string): boolean {
  return compareKeys(last, prefix) >= 0 && (first.startsWith(prefix) || compareKeys(first, prefix) < 0);
}

/**
 * Merges the newest parts into one, as many as are not much smaller than the part before them, so that an entry is
 * rewritten only a few times however large the index grows.
 */
export async function mergeNewest(
  lake: Lake,
  parts: readonly IndexPart[],
  shardEntries: number,
): Promise<IndexPart[]> {
  const first = firstToMerge(parts.map(sizeOf));
  const merged = mergeEntries(parts.slice(first).map((part) => readPart(lake, part)));
  return [...parts.slice(0, first), await writePart(lake, merged, shardEntries)];
}

function firstToMerge(sizes: readonly number[]): number {
  let first = Math.max(0, sizes.length - 2);
  let total = sizes.slice(first).reduce((sum, size) => sum + size, 0);
  for (; first > 0; first -= 1) {
    const size = sizes[first - 1] ?? 0;
    if (size > MERGED_SIZE_RATIO * total) break;
    total += size;
  }
  return first;
}

function sizeOf(part: IndexPart): number {
  return part.reduce((sum, { entries }) => sum + entries, 0);
}

/** Removes objects that the index no longer consists of, once nobody can be reading them. */
export async function removeFormerShards(
  { lake, clock }: Pick<World, 'lake' | 'clock'>,
  { parts }: StoredFileIndex,
): Promise<void> {
  const kept = new Set(parts.flat().map(({ id }) => id));
  const before = clock.now().getTime() - KEPT_MILLISECONDS;
  for (const { id, modifiedAt } of await lake.list(INDEX_SHARD)) {
    if (!kept.has(id) && modifiedAt.getTime() < before) await lake.remove(INDEX_SHARD.of(id));
  }
}
