/**
 * The index of the ledger by address: which version of each event file was ingested last. It is derived from the
 * ledger, can be removed at any time, and is stored as sorted parts of small objects: see
 * docs/decisions/index-of-files.md.
 */
import { z } from 'zod';
import { count } from './fields.ts';

/** An event file that was ingested. */
export const indexEntrySchema = z.strictObject({
  uri: z.string(),
  /** Entity tag of the version that was ingested last. */
  etag: z.string(),
  bytes: z.number(),
  /** Batch that ingested the newest version, and the rows of it that became events. */
  batchId: z.string(),
  rows: count,
  /** The file was taken out of the lake, which holds nothing of it. */
  takenOut: z.literal(true).optional(),
  /** Ingested by a release that did not keep the days of a file, nor the copies of events that it dropped. */
  undated: z.literal(true).optional(),
  /** Such a release has dropped copies of this file, or left rows of a former version: it is read again. */
  again: z.literal(true).optional(),
});
export type IndexEntry = z.infer<typeof indexEntrySchema>;

/** One object of a part: entries in the order of their addresses, from the first to the last, both included. */
const shardSchema = z.strictObject({ id: z.string(), first: z.string(), last: z.string(), entries: count });
export type IndexShard = z.infer<typeof shardSchema>;

/** Entries in the order of their addresses, each address once. */
const partSchema = z.array(shardSchema);
export type IndexPart = z.infer<typeof partSchema>;

/** Raised when the shape of an entry changes. */
export const INDEX_FORMAT = 2;

/** What the index covers, and where it is. A change of an entry's shape needs another format: the index is then rebuilt. */
export const fileIndexSchema = z.strictObject({
  format: z.literal(INDEX_FORMAT),
  /** Batches whose files are in the index, with the entity tags of their objects in the ledger. */
  batches: z.array(z.strictObject({ batchId: z.string(), etag: z.string() })),
  /** Rows of these batches that became events, without those that were taken away again. */
  rows: count,
  /** Oldest first: of an address that is in two parts, the later part has the newer version. */
  parts: z.array(partSchema),
});
export type StoredFileIndex = z.infer<typeof fileIndexSchema>;
