/** Event files as they lie in the log, and what of them is new to the lake. */
import { createHash } from 'node:crypto';
import { EVENT_FILE_ENDINGS } from '../../lib/domain/events.ts';
import type { EventFile } from '../../lib/domain/run.ts';
import { PipelineError } from '../errors.ts';
import { type ObjectStore, type StoredObject, UnlistableError } from '../ports.ts';

const BATCH_ID_DIGITS = 16;

/** Where the log is looked for. */
export interface EventsLocation {
  readonly location: string;
  /** What named it: the field `events` of the request, or the configuration of the deployment. */
  readonly namedBy: 'request' | 'configuration';
}

/**
 * Event files at a location; what else lies there, and what starts with "." or "_", is passed over.
 * @throws InvalidRequest or InvalidConfiguration when its bucket cannot be listed
 */
export async function listEventFiles(
  objects: ObjectStore,
  { location, namedBy }: EventsLocation,
): Promise<readonly EventFile[]> {
  try {
    return eventFiles(await objects.list(location), location);
  } catch (error) {
    throw error instanceof UnlistableError ? misplaced(error, namedBy) : error;
  }
}

function misplaced({ message, reason }: UnlistableError, namedBy: EventsLocation['namedBy']): PipelineError {
  if (namedBy === 'request') {
    return new PipelineError(
      'InvalidRequest',
      `The event log ${message}\nName a place in the bucket of the log in the request's field "events": only that one may be read.`,
    );
  }
  const remedy =
    reason === 'no such bucket'
      ? 'Make the bucket, or set churn:rawBucket right and deploy again.'
      : "Admit the role of start-training in the bucket's policy, or set churn:rawBucket right and deploy again.";
  return new PipelineError('InvalidConfiguration', `The event log ${message}\n${remedy}`);
}

/** Those of the objects that are event files, each once, in the order of their URIs. */
export function eventFiles(objects: readonly StoredObject[], location: string): readonly EventFile[] {
  const files = new Map<string, EventFile>();
  for (const { uri, etag, bytes } of objects) {
    if (EVENT_FILE_ENDINGS.some((ending) => uri.endsWith(ending)) && !isHidden(uri, location)) {
      files.set(uri, { uri, etag, bytes });
    }
  }
  return [...files.values()].sort(byUri);
}

/** Files that the ledger does not hold. One that was replaced has another entity tag, and so is new. */
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

/** Whether the file, or a folder between it and the location, is a writer's scratch by its name. */
function isHidden(uri: string, location: string): boolean {
  const path = withoutScheme(uri);
  const folder = folderOf(withoutScheme(location));
  if (path === folder) return false;
  const below = path.startsWith(`${folder}/`) ? path.slice(folder.length) : path.slice(path.lastIndexOf('/'));
  return below.split('/').some((name) => /^[._]/.test(name));
}

/** The location itself or, of a glob, the part that has no wildcard. */
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
