/** The log that a run reads if none is named: generated once, then reused. */
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { generateLog } from '../../generator/generate.ts';

/**
 * Large enough for a model to learn from, small enough for a first run of two minutes. With so few users chance decides much:
 * with seed 1, 52 of them cancel in the first window that is learnt from and 20 in the one that is tested; with seed 2, as
 * many as the service usually loses in both.
 */
const DEFAULT_LOG = { users: 800, days: 62, seed: 2 } as const;

/** Generates the log unless it exists. A generation that was interrupted starts from scratch. */
export async function ensureDefaultLog(folder: string, onNote: (text: string) => void): Promise<void> {
  if (existsSync(folder)) return;
  const { users, days, seed } = DEFAULT_LOG;
  onNote(`generating a log of ${users} users over ${days} days in ${folder}`);
  const draft = `${folder}.draft`;
  await rm(draft, { recursive: true, force: true });
  await generateLog({ users, days, seed, outputFolder: draft });
  await rename(draft, folder);
}
