/** A lake on this machine: one folder that holds everything and records its own path. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { FORGOTTEN_USERS } from '../../domain/lake-objects.ts';
import { UserError } from '../../domain/user-error.ts';
import { isCode } from '../adapters/file-lock.ts';
import { fileUri } from '../adapters/file-uris.ts';

/** Locations in a lake that only local runs use; all others are in domain/lake-objects.ts. */
const OWN = {
  folder: 'local',
  identity: 'local/lake.json',
  executions: 'local/executions',
  clusters: 'local/clusters',
  queries: 'local/queries',
  contentTags: 'local/content-tags.json',
  notifications: 'local/notifications.jsonl',
} as const;
/** Folder of the generated log, for runs that name none. */
const GENERATED_LOG = 'generated-log';
/** What the folder of a new lake may already contain. */
const KEPT = [GENERATED_LOG, FORGOTTEN_USERS.key];

const identitySchema = z.strictObject({ path: z.string(), createdAt: z.iso.datetime() });

/** The folder cannot be used as a lake. */
export class LakeFolderError extends UserError {
  override readonly name = 'LakeFolderError';
}

export interface LakeFolder {
  /** Absolute path without symbolic links. */
  readonly path: string;
  /** `file:///...`, without a slash at the end. */
  readonly root: string;
  readonly executions: string;
  readonly clusters: string;
  readonly queries: string;
  readonly contentTags: string;
  readonly notifications: string;
  readonly generatedLog: string;
}

/**
 * Opens a lake, creating it if there is none.
 * @throws LakeFolderError if the folder contains something else, or a lake that was moved here: Iceberg's metadata
 *   names every file by its absolute path
 */
export async function openLake(folder: string): Promise<LakeFolder> {
  const lake = await prepared(folder);
  const identityFile = join(lake.path, OWN.identity);
  const path = await recordedPath(identityFile);
  if (path === undefined) {
    await refuseForeign(lake.path);
    await mkdir(join(lake.path, OWN.folder), { recursive: true });
    await writeFile(
      identityFile,
      `${JSON.stringify({ path: lake.path, createdAt: new Date().toISOString() })}\n`,
    );
  } else if (path !== lake.path) {
    throw new LakeFolderError(
      `The lake in ${lake.path} was created in ${path} and moved, but its tables name their files by absolute path. ` +
        `Move it back to ${path}, or name another folder with --lake and run on the log again.`,
    );
  }
  return lake;
}

/** Opens an existing lake. @throws LakeFolderError if there is none */
export async function openExistingLake(folder: string): Promise<LakeFolder> {
  if (!existsSync(join(resolve(folder), OWN.identity))) {
    throw new LakeFolderError(
      `There is no lake in ${resolve(folder)}: run the pipeline first, or name the lake's folder with --lake.`,
    );
  }
  return openLake(folder);
}

/** The lake in a folder, whether it is there or not; nothing is created. */
export async function lakeAt(folder: string): Promise<LakeFolder> {
  const path = await realpath(resolve(folder)).catch(() => resolve(folder));
  return placesOf(path);
}

async function prepared(folder: string): Promise<LakeFolder> {
  try {
    await mkdir(resolve(folder), { recursive: true });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new LakeFolderError(
      `${resolve(folder)} cannot be used as a lake: ${why}. Name another folder with --lake.`,
    );
  }
  return placesOf(await realpath(resolve(folder)));
}

function placesOf(path: string): LakeFolder {
  return {
    path,
    root: fileUri(path),
    executions: join(path, OWN.executions),
    clusters: join(path, OWN.clusters),
    queries: join(path, OWN.queries),
    contentTags: join(path, OWN.contentTags),
    notifications: join(path, OWN.notifications),
    generatedLog: join(path, GENERATED_LOG),
  };
}

async function recordedPath(identityFile: string): Promise<string | undefined> {
  try {
    return identitySchema.parse(JSON.parse(await readFile(identityFile, 'utf8'))).path;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw new LakeFolderError(`${identityFile} is damaged: restore it, or name another folder with --lake.`);
  }
}

/** Refuses to create a lake in a folder with other files. */
async function refuseForeign(path: string): Promise<void> {
  const foreign = (await readdir(path)).filter((name) => !KEPT.includes(name) && !name.startsWith('.'));
  if (foreign.length > 0) {
    throw new LakeFolderError(
      `${path} is not a lake and not empty (it contains ${foreign.slice(0, 3).join(', ')}): name a new folder with --lake.`,
    );
  }
}
