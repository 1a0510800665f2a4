/** Streams that are sorted by address. */
import type { IndexEntry } from '../../../domain/file-index.ts';
import { compareKeys } from '../../../domain/key-order.ts';
import type { EventFile } from '../../../domain/run.ts';
import { Cursor, type Pages } from '../../ports/pages.ts';

const PAGE = 1_000;

interface Addressed {
  readonly uri: string;
}

/** What a listed file is compared with what the lake holds. `gone`: held, but not listed. */
export type FileStatus =
  | { readonly kind: 'new'; readonly file: EventFile }
  | { readonly kind: 'changed' | 'known'; readonly file: EventFile; readonly entry: IndexEntry }
  | { readonly kind: 'gone'; readonly entry: IndexEntry };

/** Compares a listing with the index, address by address. Both are in the order of keys, each address once. */
export async function* compareFiles(
  listing: Pages<EventFile>,
  index: Pages<IndexEntry>,
): AsyncGenerator<readonly FileStatus[]> {
  const [files, entries] = [await Cursor.at(listing), await Cursor.at(index)];
  let page: FileStatus[] = [];
  try {
    for (;;) {
      const [file, entry] = [files.item, entries.item];
      if (file === undefined && entry === undefined) break;
      const order = orderOf(file, entry);
      if (file !== undefined && order <= 0) {
        page.push(order < 0 || entry === undefined ? { kind: 'new', file } : statusOf(file, entry));
        const waiting = files.advance();
        if (waiting !== undefined) await waiting;
      }
      if (entry !== undefined && order >= 0) {
        if (order > 0 && entry.takenOut !== true) page.push({ kind: 'gone', entry });
        const waiting = entries.advance();
        if (waiting !== undefined) await waiting;
      }
      if (page.length >= PAGE) {
        yield page;
        page = [];
      }
    }
    yield page;
  } finally {
    await Promise.all([files.close(), entries.close()]);
  }
}

/** One stream of all entries, each address once: of the same address in two streams, the later stream has the newer version. */
export async function* mergeEntries(
  sources: readonly Pages<IndexEntry>[],
): AsyncGenerator<readonly IndexEntry[]> {
  const heads: Head[] = [];
  const cursors = await Promise.all(sources.map((source) => Cursor.at(source)));
  cursors.forEach((cursor, age) => {
    insert(heads, { cursor, age });
  });
  const page: IndexEntry[] = [];
  try {
    for (let head = heads.pop(); head !== undefined; head = heads.pop()) {
      const entry = head.cursor.item;
      if (entry === undefined) continue;
      const last = page.at(-1);
      if (last?.uri === entry.uri) page[page.length - 1] = newerVersion(last, entry);
      else {
        // The last entry stays, for the next one may be of the same address.
        if (page.length > PAGE) yield page.splice(0, PAGE);
        page.push(entry);
      }
      const waiting = head.cursor.advance();
      if (waiting !== undefined) await waiting;
      insert(heads, head);
    }
    yield page;
  } finally {
    await Promise.all(cursors.map((cursor) => cursor.close()));
  }
}

/** The same items; an address that comes twice in a row comes once. @throws what `disorder` makes of a wrong order */
export async function* ascending<Item extends Addressed>(
  pages: Pages<Item>,
  disorder: (last: string, next: string) => Error,
): AsyncGenerator<readonly Item[]> {
  let last: string | undefined;
  for await (const page of pages) {
    const items: Item[] = [];
    for (const item of page) {
      const order = last === undefined ? -1 : compareKeys(last, item.uri);
      if (order > 0) throw disorder(last ?? '', item.uri);
      if (order < 0) items.push(item);
      last = item.uri;
    }
    yield items;
  }
}

/** Sorts entries that were ingested in this order, each address once. */
export function sortEntries(entries: readonly IndexEntry[]): readonly IndexEntry[] {
  const sorted: IndexEntry[] = [];
  for (const entry of [...entries].sort((a, b) => compareKeys(a.uri, b.uri))) {
    const last = sorted.at(-1);
    if (last?.uri === entry.uri) sorted[sorted.length - 1] = newerVersion(last, entry);
    else sorted.push(entry);
  }
  return sorted;
}

/** A stream that waits in the heap of a merge; `age` is its place among the streams, the oldest first. */
interface Head {
  readonly cursor: Cursor<IndexEntry>;
  readonly age: number;
}

/** Puts a head where it belongs: the last one is the next to be taken. */
function insert(heads: Head[], head: Head): void {
  const { item } = head.cursor;
  if (item === undefined) return;
  let [low, high] = [0, heads.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = heads[middle];
    const order = orderOf(other?.cursor.item, item) || (other?.age ?? 0) - head.age;
    if (order > 0) low = middle + 1;
    else high = middle;
  }
  heads.splice(low, 0, head);
}

function orderOf(a: Addressed | undefined, b: Addressed | undefined): number {
  if (a === undefined) return 1;
  return b === undefined ? -1 : compareKeys(a.uri, b.uri);
}

function statusOf(file: EventFile, entry: IndexEntry): FileStatus {
  if (entry.takenOut === true) return { kind: 'new', file };
  return { kind: file.etag === entry.etag && entry.again !== true ? 'known' : 'changed', file, entry };
}

/** Only the newest version is known. Releases that did not keep days left the rows of the former one in the lake. */
function newerVersion(older: IndexEntry, newer: IndexEntry): IndexEntry {
  return newer.undated === true && older.takenOut !== true ? { ...newer, again: true } : newer;
}
