/** The logs that are measured: generated ones, which are kept, and a folder of the user's own. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { generateLog } from '../generator/generate.ts';

export interface BenchLog {
  readonly name: string;
  readonly folder: string;
  readonly files: readonly string[];
  readonly bytes: number;
}

const DAYS = 62;

/** A generated log with this many users; generated once and kept in `cache`. */
export async function generatedLog(cache: string, users: number, days = DAYS): Promise<BenchLog> {
  const name = days === DAYS ? `generated-${users}` : `generated-${users}-${days}-days`;
  const folder = join(cache, name);
  if (!existsSync(folder)) {
    console.error(`generating the log ${name} in ${folder}`);
    const draft = `${folder}.draft`;
    await rm(draft, { recursive: true, force: true });
    await mkdir(dirname(folder), { recursive: true });
    await generateLog({ users, days, seed: 1, outputFolder: draft });
    await rename(draft, folder);
  }
  return logIn(folder, name);
}

/**
 * The log in a folder: its `.json` files, one a day, in the order of their names.
 * @throws where the folder holds fewer than two
 */
export async function ownLog(path: string): Promise<BenchLog> {
  const folder = resolve(path);
  return logIn(folder, basename(folder));
}

async function logIn(folder: string, name: string): Promise<BenchLog> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).sort();
  if (files.length < 2) {
    throw new Error(`${folder} must hold two .json files or more: the second run adds the last one.`);
  }
  const sizes = await Promise.all(files.map((file) => stat(join(folder, file))));
  return { name, folder, files, bytes: sizes.reduce((sum, { size }) => sum + size, 0) };
}
