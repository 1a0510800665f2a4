/** Where a rehearsal keeps its logs, lakes and events. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface RehearsalFolder {
  readonly path: string;
  /** Does nothing to a folder that is kept. */
  readonly remove: () => Promise<void>;
}

/** A new folder; below REHEARSAL_FOLDER, if that is set, and then kept. @param name begins its name */
export async function rehearsalFolder(name: string): Promise<RehearsalFolder> {
  const kept = process.env.REHEARSAL_FOLDER;
  if (kept !== undefined) await mkdir(kept, { recursive: true });
  const path = await mkdtemp(join(kept ?? tmpdir(), `churn-${name}-`));
  return {
    path,
    remove: async () => {
      if (kept === undefined) await rm(path, { recursive: true, force: true });
    },
  };
}

/** Whether the folders of this rehearsal are kept. */
export function keepsFolders(): boolean {
  return process.env.REHEARSAL_FOLDER !== undefined;
}
