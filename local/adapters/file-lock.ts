/**
 * A lock on one file between processes, held while the file is compared and replaced. The lock is a file that only one
 * process can create; it names its owner, so that a lock left behind by a killed process is removed.
 */
import { randomUUID } from 'node:crypto';
import { constants, copyFile, link, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { UserError } from '../../domain/user-error.ts';
import { isAlive, ownIdentity, processSchema } from '../processes/identity.ts';

const RETRY_MILLISECONDS = 10;
/** The work done under a lock takes milliseconds; an execution of the notifier takes a second or two. */
const PATIENCE_MILLISECONDS = 10_000;

/** Runs `action` while no other process (and no other call of this one) holds the lock of the file. */
export async function withFileLock<Result>(path: string, action: () => Promise<Result>): Promise<Result> {
  const lock = join(dirname(path), `.${basename(path)}.lock`);
  await acquire(lock);
  try {
    return await action();
  } finally {
    await rm(lock, { force: true });
  }
}

async function acquire(lock: string): Promise<void> {
  const draft = `${lock}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify(ownIdentity()));
  try {
    for (const start = Date.now(); ; await wait(RETRY_MILLISECONDS)) {
      if (await linked(draft, lock)) return;
      await removeIfOwnerless(lock, draft);
      if (Date.now() - start > PATIENCE_MILLISECONDS) {
        throw new UserError(
          `${lock} has been held for too long: if no churn run is in progress, remove that file and try again.`,
        );
      }
    }
  } finally {
    await rm(draft, { force: true });
  }
}

/** How file systems refuse hard links: exFAT, some network shares and volumes of containers have none. */
const NO_HARD_LINKS: readonly string[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/**
 * Gives `draft` the name `target` unless that name is taken: atomic, so a target is never incomplete. Without hard links
 * it is copied: still only one process creates it, but for a moment it is not complete.
 */
export async function linked(draft: string, target: string): Promise<boolean> {
  try {
    await link(draft, target);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    if (!NO_HARD_LINKS.some((code) => isCode(error, code))) throw error;
    return copied(draft, target);
  }
}

/** Copies a draft unless the target exists. */
export async function copied(draft: string, target: string): Promise<boolean> {
  try {
    await copyFile(draft, target, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Removes a lock whose owner has exited. Only one process at a time may inspect it, or it could remove a newer lock. */
async function removeIfOwnerless(lock: string, draft: string): Promise<void> {
  const inspection = `${lock}.inspection`;
  if (!(await linked(draft, inspection))) {
    if (await isOlderThan(inspection, PATIENCE_MILLISECONDS)) await rm(inspection, { force: true });
    return;
  }
  try {
    const owner = processSchema.safeParse(parsed(await readFile(lock, 'utf8'))).data;
    // A lock that was copied may be incomplete for a moment.
    const isOrphan =
      owner === undefined ? await isOlderThan(lock, RETRY_MILLISECONDS * 100) : !isAlive(owner);
    if (isOrphan) await rm(lock, { force: true });
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  } finally {
    await rm(inspection, { force: true });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function isOlderThan(path: string, milliseconds: number): Promise<boolean> {
  const modified = await stat(path).catch(() => undefined);
  return modified !== undefined && Date.now() - modified.mtimeMs > milliseconds;
}

/** Whether an error is a system error with this code. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
