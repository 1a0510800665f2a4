/**
 * The objects below a prefix in the order of their keys, with folders listed side by side: S3 returns a thousand objects
 * a request, and the next request needs the answer to the last one, so a large log is listed in time only in parallel.
 */
import { ListObjectsV2Command, type ListObjectsV2CommandOutput, type S3Client } from '@aws-sdk/client-s3';
import { compareKeys } from '../../domain/key-order.ts';
import type { ListedObject } from '../ports/objects.ts';
import { sideBySide } from '../ports/pages.ts';

/** What is listed. */
export interface S3Range {
  readonly bucket: string;
  /** Empty, or a folder with its slash; the part before the wildcard of a glob. */
  readonly prefix: string;
  /** Only keys after this one. */
  readonly after?: string;
}

/** Folders that are listed at the same time, and the pages of each that wait in memory: 16 MB in all. */
const LISTED_AT_ONCE = { atOnce: 16, itemsAhead: 2 } as const;
/** Folders of folders are opened until there are this many folders to list at the same time. */
const FOLDERS_WANTED = 2 * LISTED_AT_ONCE.atOnce;
/** Years, months and days, as delivery streams name their folders. */
const LEVELS = 3;
/** Pages of folders that are read of one folder: ten thousand folders. */
const FOLDER_PAGES = 10;

type Page = readonly ListedObject[];

/** A part of a listing: objects that are known already, or keys that are still to be listed. */
type Section =
  | { readonly kind: 'listed'; readonly page: ListedObject[] }
  | { readonly kind: 'folder'; readonly prefix: string }
  /** Everything below a folder after a key; `without` what is below the folder of that key, a section of its own. */
  | { readonly kind: 'rest'; readonly prefix: string; readonly after: string; readonly without?: string };

/** Lists a prefix page by page. */
export async function* listInOrder(client: S3Client, range: S3Range): AsyncGenerator<Page> {
  const sections = await opened(client, range);
  const sequences = sections.map((section) => () => pagesOf(client, range, section));
  yield* sideBySide(sequences, LISTED_AT_ONCE);
}

/** The sections of a prefix: folders are opened level by level until there are enough of them. */
async function opened(client: S3Client, range: S3Range): Promise<readonly Section[]> {
  let sections: readonly Section[] = [{ kind: 'folder', prefix: range.prefix }];
  for (let level = 0; level < LEVELS; level += 1) {
    const folders = sections.filter(({ kind }) => kind === 'folder').length;
    if (folders === 0 || folders >= FOLDERS_WANTED) break;
    const below = await Promise.all(
      sections.map((section) =>
        section.kind === 'folder' ? outline(client, range, section.prefix) : [section],
      ),
    );
    sections = below.flat();
  }
  return sections;
}

/**
 * What a folder holds, as far as its first page goes: objects, folders and the rest, in the order of their keys. Pages
 * that are mostly folders are followed by the next, as each stands for many objects.
 */
async function outline(client: S3Client, range: S3Range, prefix: string): Promise<readonly Section[]> {
  const sections: Section[] = [];
  let token: string | undefined;
  for (let pages = 1; ; pages += 1) {
    const answer = await request(client, range, {
      Prefix: prefix,
      Delimiter: '/',
      ...position(token, range.after),
    });
    const items = itemsOf(answer, range.bucket);
    for (const { key, object } of items) {
      const last = sections.at(-1);
      if (object === undefined) sections.push({ kind: 'folder', prefix: key });
      else if (last?.kind === 'listed') last.page.push(object);
      else sections.push({ kind: 'listed', page: [object] });
    }
    token = answer.NextContinuationToken;
    const last = items.at(-1);
    if (token === undefined || last === undefined) return sections;
    const folders = items.filter(({ object }) => object === undefined).length;
    if (pages === FOLDER_PAGES || 2 * folders < items.length) {
      const skipped = last.object === undefined ? { without: last.key } : {};
      return [...sections, { kind: 'rest', prefix, after: last.key, ...skipped }];
    }
  }
}

/** Objects, and folders without one, in the order of their keys. */
function itemsOf({ Contents = [], CommonPrefixes = [] }: ListObjectsV2CommandOutput, bucket: string) {
  const objects = Contents.map((object) => ({ key: object.Key ?? '', object: listedObject(bucket, object) }));
  const folders = CommonPrefixes.map(({ Prefix = '' }) => ({ key: Prefix, object: undefined }));
  return [...objects, ...folders].sort((a, b) => compareKeys(a.key, b.key));
}

async function* pagesOf(client: S3Client, range: S3Range, section: Section): AsyncGenerator<Page> {
  if (section.kind === 'listed') {
    yield section.page;
    return;
  }
  const { prefix } = section;
  const rest = section.kind === 'rest' ? section : undefined;
  let token: string | undefined;
  do {
    const answer = await request(client, range, {
      Prefix: prefix,
      ...position(token, rest?.after ?? range.after),
    });
    token = answer.NextContinuationToken;
    yield (answer.Contents ?? [])
      .filter(({ Key = '' }) => rest?.without === undefined || !Key.startsWith(rest.without))
      .map((object) => listedObject(range.bucket, object));
  } while (token !== undefined);
}

/** Where a request goes on: after the last page, or for the first one after a key. */
function position(
  token: string | undefined,
  after: string | undefined,
): Pick<Question, 'ContinuationToken' | 'StartAfter'> {
  if (token !== undefined) return { ContinuationToken: token };
  return after === undefined ? {} : { StartAfter: after };
}

interface Question {
  readonly Prefix: string;
  readonly Delimiter?: string;
  readonly StartAfter?: string;
  readonly ContinuationToken?: string;
}

function request(
  client: S3Client,
  { bucket }: S3Range,
  question: Question,
): Promise<ListObjectsV2CommandOutput> {
  return client.send(new ListObjectsV2Command({ Bucket: bucket, ...question }));
}

/** An entry of a listing, as the SDK types it. */
export interface ListingEntry {
  readonly Key?: string | undefined;
  readonly ETag?: string | undefined;
  readonly Size?: number | undefined;
  readonly LastModified?: Date | undefined;
}

export function listedObject(bucket: string, object: ListingEntry): ListedObject {
  return {
    uri: `s3://${bucket}/${object.Key ?? ''}`,
    etag: object.ETag ?? '',
    bytes: object.Size ?? 0,
    modifiedAt: object.LastModified ?? new Date(0),
  };
}
