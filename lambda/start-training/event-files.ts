/** The event files of the log. */
import { posix } from 'node:path';
import { fileKind } from '../../domain/event-files.ts';
import type { EventFile } from '../../domain/run.ts';
import { type ListedObject, UnlistableError } from '../ports/objects.ts';
import type { Pages } from '../ports/pages.ts';
import { PipelineError } from '../run/errors.ts';
import type { World } from '../run/world.ts';
import { ascending } from './file-index/sorted-pages.ts';
import type { PassedOverFiles } from './passed-over.ts';

/**
 * Event files at a location, page by page and in the order of keys.
 * @param location a folder, a file or a glob; on EMR it is below the deployment's log
 * @param after only files whose addresses come after this one
 * @param passedOver collects what is there and is no event file
 * @throws while it is iterated over: InvalidConfiguration when its bucket cannot be listed; NoEventFiles when it is a file
 * that Spark passes over
 */
export async function* listEventFiles(
  { eventLog }: Pick<World, 'eventLog'>,
  location: string,
  after?: string,
  passedOver?: PassedOverFiles,
): AsyncGenerator<readonly EventFile[]> {
  const files = eventFilesOf(eventLog.pages(location, after), location, passedOver);
  try {
    yield* ascending(
      files,
      (last, next) =>
        new Error(`${location} was listed in another order than that of keys: ${next} after ${last}`),
    );
  } catch (error) {
    throw error instanceof UnlistableError ? unreachable(error) : error;
  }
}

async function* eventFilesOf(
  pages: Pages<ListedObject>,
  location: string,
  passedOver: PassedOverFiles | undefined,
): AsyncGenerator<readonly EventFile[]> {
  const folder = folderOf(withoutScheme(location));
  for await (const page of pages) {
    const files: EventFile[] = [];
    for (const { uri, etag, bytes } of page) {
      const found = fileKind(pathBelow(uri, folder), bytes);
      if (found.kind === 'passed over') {
        if (found.reason === 'hidden' && isSamePlace(uri, location)) throw hiddenFile(location);
        passedOver?.see(uri, found.reason);
      } else files.push({ uri, etag, bytes, ...(found.kind === 'unsure' ? { unsure: true } : {}) });
    }
    yield files;
  }
}

function hiddenFile(location: string): PipelineError {
  return new PipelineError(
    'NoEventFiles',
    `${location} is not an event file: Spark passes over files whose names begin with "_" or ".", which writers ` +
      'use for temporary files, and would read no row of it. Rename it.',
  );
}
const REMEDIES: Readonly<Record<UnlistableError['reason'], string>> = {
  'no such bucket': 'Create the bucket, or correct churn:rawBucket and deploy again.',
  'access denied':
    "Allow the role of start-training in the bucket's policy, or correct churn:rawBucket and deploy again.",
  'bucket in another Region':
    "The cluster's network leads to buckets of its own Region only: copy the log to one there, or deploy in that Region.",
};

function unreachable({ message, reason }: UnlistableError): PipelineError {
  return new PipelineError('InvalidConfiguration', `The event log ${message}\n${REMEDIES[reason]}`);
}

/** Whether the location is that very object, and not a folder or glob. */
function isSamePlace(uri: string, location: string): boolean {
  return withoutScheme(uri) === withoutScheme(location);
}

/** With what the address of everything at a location begins. Paths of this machine may be written in several ways. */
export function commonPrefix(location: string): string {
  return location.startsWith('s3://') ? location.replace(/([*?[{].*|\/+)$/s, '') : '';
}

/** Whether an address is at a location: the object itself, below the folder, or matched by the glob. */
export function isAt(uri: string, location: string): boolean {
  const [path, place] = [withoutScheme(uri), withoutScheme(location).replace(/\/+$/, '')];
  return path === place || path.startsWith(`${place}/`) || posix.matchesGlob(path, place);
}

/** The path below the location's folder; of a file at the location itself, its name. */
function pathBelow(uri: string, folder: string): string {
  const path = withoutScheme(uri);
  return path.startsWith(`${folder}/`)
    ? path.slice(folder.length + 1)
    : path.slice(path.lastIndexOf('/') + 1);
}

/** The location itself; the part without a wildcard if it is a glob. */
function folderOf(location: string): string {
  const wildcard = location.search(/[*?[{]/);
  return wildcard === -1
    ? location.replace(/\/+$/, '')
    : location.slice(0, location.lastIndexOf('/', wildcard));
}

function withoutScheme(location: string): string {
  return location.replace(/^file:\/\//, '');
}
