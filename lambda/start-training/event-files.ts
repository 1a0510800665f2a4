/** The event files of the log, and which of them are new to the lake. */
import { createHash } from 'node:crypto';
import { EVENT_FILE_ENDINGS } from '../../domain/events.ts';
import type { EventFile } from '../../domain/run.ts';
import { type ListedObject, UnlistableError } from '../ports/objects.ts';
import { PipelineError } from '../run/errors.ts';
import type { World } from '../run/world.ts';

const BATCH_ID_DIGITS = 16;

/**
 * Event files at a location; other files there, and names that begin with "." or "_", are passed over.
 * @param location a folder, a file or a glob; on EMR it is below the deployment's log
 * @throws InvalidConfiguration when its bucket cannot be listed; NoEventFiles when it is a file that Spark passes over
 */
export async function listEventFiles(
  { eventLog }: Pick<World, 'eventLog'>,
  location: string,
): Promise<readonly EventFile[]> {
  const listed = await listObjects(eventLog, location);
  if (listed.some(({ uri }) => isSamePlace(uri, location) && isHidden(uri, location))) {
    throw new PipelineError(
      'NoEventFiles',
      `${location} is not an event file: Spark passes over files whose names begin with "_" or ".", which writers ` +
        'use for temporary files, and would read no row of it. Rename it.',
    );
  }
  return eventFiles(listed, location);
}

async function listObjects(eventLog: World['eventLog'], location: string): Promise<readonly ListedObject[]> {
  try {
    return await eventLog.list(location);
  } catch (error) {
    throw error instanceof UnlistableError ? unreachable(error) : error;
  }
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

/** Those of the objects that are event files, each once, in the order of their URIs. */
export function eventFiles(objects: readonly ListedObject[], location: string): readonly EventFile[] {
  const files = new Map<string, EventFile>();
  for (const { uri, etag, bytes } of objects) {
    if (EVENT_FILE_ENDINGS.some((ending) => uri.endsWith(ending)) && !isHidden(uri, location)) {
      files.set(uri, { uri, etag, bytes });
    }
  }
  return [...files.values()].sort(byUri);
}

/** Files that are not in the ledger. A file that was replaced has another entity tag, and so is new. */
export function newFiles(listed: readonly EventFile[], known: readonly EventFile[]): readonly EventFile[] {
  const knownFiles = new Set(known.map(identity));
  return listed.filter((file) => !knownFiles.has(identity(file)));
}

/** Id of a batch: the same files make the same batch, whenever and in whatever order they are listed. */
export function batchIdOf(files: readonly EventFile[]): string {
  const hash = createHash('sha256');
  for (const line of files.map(identity).sort()) hash.update(`${line}\n`);
  return hash.digest('hex').slice(0, BATCH_ID_DIGITS);
}

/** What makes a file the same file. */
function identity(file: Pick<EventFile, 'uri' | 'etag'>): string {
  return JSON.stringify([file.uri, file.etag]);
}

/** Whether the location is that very object, and not a folder or glob. */
function isSamePlace(uri: string, location: string): boolean {
  return withoutScheme(uri) === withoutScheme(location);
}

/** Whether the file, or a folder between it and the location, is temporary by its name. */
function isHidden(uri: string, location: string): boolean {
  const path = withoutScheme(uri);
  const folder = folderOf(withoutScheme(location));
  const below = path.startsWith(`${folder}/`) ? path.slice(folder.length) : path.slice(path.lastIndexOf('/'));
  return below.split('/').some((name) => /^[._]/.test(name));
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

function byUri(a: EventFile, b: EventFile): number {
  return a.uri < b.uri ? -1 : a.uri > b.uri ? 1 : 0;
}
