/**
 * Every address in the ledger as one sorted stream: the stored index, and what the ledger holds besides. The index says
 * which batches it covers, so that a crash between the ledger and the index loses nothing; what it does not cover is read
 * from the ledger, and now and then becomes a new part of the index. It is written under the lease only.
 */
import {
  INDEX_FORMAT,
  type IndexEntry,
  type IndexPart,
  type StoredFileIndex,
} from '../../../domain/file-index.ts';
import { FILE_INDEX, type LedgerRow } from '../../../domain/lake-objects.ts';
import type { Pages } from '../../ports/pages.ts';
import type { Lake, Listed } from '../../run/lake.ts';
import type { World } from '../../run/world.ts';
import { DamagedIndex, mergeNewest, readPart, removeFormerShards, writePart } from './parts.ts';
import { mergeEntries, sortEntries } from './sorted-pages.ts';

/** The ledger by address. */
export interface FileIndex {
  /** Rows of all batches that became events. */
  readonly rows: number;
  /** Addresses in the order of keys, each once; those that do not begin with the prefix may be left out. */
  entries(prefix: string): Pages<IndexEntry>;
}

/** Bounds of what is held in memory, and of how often the index is rewritten. */
export interface IndexLimits {
  /** Entries that are read from the ledger at each start, before they become a part of the index. */
  readonly recentEntries: number;
  /** Batches that are read from the ledger at each start. */
  readonly recentBatches: number;
  /** Parts that are read side by side. */
  readonly parts: number;
  /** Entries of one object: about 3 MB. */
  readonly shardEntries: number;
}

export const INDEX_LIMITS: IndexLimits = {
  recentEntries: 50_000,
  recentBatches: 64,
  parts: 16,
  shardEntries: 10_000,
};

/** A batch's object in the ledger, as it was listed. */
export type ListedBatch = Listed<readonly LedgerRow[]>;
type IndexWorld = Pick<World, 'lake' | 'clock' | 'log'>;

/**
 * Calls a function with the index, and once more with one that was rebuilt if the first was found damaged.
 * @param ledger the objects of the ledger, oldest first
 * @throws InvalidResult for a damaged object of the ledger
 */
export async function withFileIndex<Result>(
  world: IndexWorld,
  ledger: readonly ListedBatch[],
  use: (index: FileIndex) => Promise<Result>,
  limits: IndexLimits = INDEX_LIMITS,
): Promise<Result> {
  try {
    return await use(await openFileIndex(world, ledger, await storedIndex(world, ledger), limits));
  } catch (error) {
    if (!(error instanceof DamagedIndex)) throw error;
    world.log.warn(`The index of the ledger is rebuilt: ${error.message}.`);
    return use(await openFileIndex(world, ledger, EMPTY, limits));
  }
}

const EMPTY: StoredFileIndex = { format: INDEX_FORMAT, batches: [], rows: 0, parts: [] };

/** The stored index if everything that it covers is still in the ledger as it was; otherwise an empty one. */
async function storedIndex(
  { lake, log }: IndexWorld,
  ledger: readonly ListedBatch[],
): Promise<StoredFileIndex> {
  const stored = await lake.glimpse(FILE_INDEX);
  if (stored === undefined) return EMPTY;
  const etags = new Map(ledger.map(({ id, etag }) => [id, etag]));
  const changed = stored.batches.find(({ batchId, etag }) => etags.get(batchId) !== etag);
  if (changed === undefined) return stored;
  log.warn(`The index of the ledger is rebuilt: batch ${changed.batchId} was removed or changed since.`);
  return EMPTY;
}

/** What was read from the ledger and is not in the stored index. */
interface Recent {
  readonly batches: ListedBatch[];
  rows: number;
  /** In the order in which they were ingested. */
  entries: IndexEntry[];
  /** What of a batch too large for memory was written already. */
  readonly parts: IndexPart[];
}

async function openFileIndex(
  world: IndexWorld,
  ledger: readonly ListedBatch[],
  stored: StoredFileIndex,
  limits: IndexLimits,
): Promise<FileIndex> {
  const { lake } = world;
  const covered = new Set(stored.batches.map(({ batchId }) => batchId));
  let index = stored;
  let recent: Recent = { batches: [], rows: 0, entries: [], parts: [] };
  for (const batch of ledger.filter(({ id }) => !covered.has(id))) {
    await readBatch(lake, batch, recent, limits);
    if (isFull(recent, limits)) {
      index = await extend(world, index, recent, limits);
      recent = { batches: [], rows: 0, entries: [], parts: [] };
    }
  }
  const newest = sortEntries(recent.entries);
  return {
    rows: index.rows + recent.rows,
    entries: (prefix) =>
      mergeEntries([...index.parts.map((part) => readPart(lake, part, prefix)), onePage(newest)]),
  };
}

async function readBatch(lake: Lake, batch: ListedBatch, recent: Recent, limits: IndexLimits): Promise<void> {
  for await (const rows of lake.rows(batch.object)) {
    for (const row of rows) {
      recent.entries.push(entryOf(row, batch.id));
      recent.rows += row.rows_accepted - row.rows_taken_away;
    }
    // Batches of older versions may have any number of files.
    if (recent.entries.length >= 2 * limits.recentEntries) await writeRecent(lake, recent, limits);
  }
  recent.batches.push(batch);
}

function entryOf(row: LedgerRow, batchId: string): IndexEntry {
  const { uri, etag, bytes, rows_accepted: rows, days } = row;
  const entry = { uri, etag, bytes, batchId, rows };
  if (row.taken_out) return { ...entry, takenOut: true };
  if (typeof days === 'string') return entry;
  return { ...entry, undated: true, ...(row.rows_duplicate > 0 ? { again: true as const } : {}) };
}

async function writeRecent(lake: Lake, recent: Recent, { shardEntries }: IndexLimits): Promise<void> {
  if (recent.entries.length === 0) return;
  recent.parts.push(await writePart(lake, onePage(sortEntries(recent.entries)), shardEntries));
  recent.entries = [];
}

function isFull({ batches, entries, parts }: Recent, limits: IndexLimits): boolean {
  return parts.length > 0 || entries.length >= limits.recentEntries || batches.length >= limits.recentBatches;
}

/** Makes whole batches a part of the stored index. Until that is written, the index covers what it covered before. */
async function extend(
  world: IndexWorld,
  index: StoredFileIndex,
  recent: Recent,
  limits: IndexLimits,
): Promise<StoredFileIndex> {
  const { lake } = world;
  await writeRecent(lake, recent, limits);
  const extended: StoredFileIndex = {
    format: INDEX_FORMAT,
    batches: [...index.batches, ...recent.batches.map(({ id, etag }) => ({ batchId: id, etag }))],
    rows: index.rows + recent.rows,
    parts: [...index.parts, ...recent.parts],
  };
  await lake.write(FILE_INDEX, extended);
  if (extended.parts.length <= limits.parts) return extended;
  const merged = { ...extended, parts: await mergeNewest(lake, extended.parts, limits.shardEntries) };
  await lake.write(FILE_INDEX, merged);
  await removeFormerShards(world, merged);
  return merged;
}

async function* onePage(entries: readonly IndexEntry[]): AsyncGenerator<readonly IndexEntry[]> {
  yield entries;
}
