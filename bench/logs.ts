/** The logs that are measured. Each is generated or unpacked once and kept. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { generateLog } from '../generator/generate.ts';
import { projectRoot } from '../setup/environment.mjs';

export interface BenchLog {
  readonly name: string;
  readonly folder: string;
  readonly files: readonly string[];
  readonly bytes: number;
}

/** An authentic log that some machines have beside the project. */
const SMALL_ARCHIVE = join(dirname(projectRoot), 'shared', 'data', 'small.tar.xz');

/** A generated log of this many users over 62 days. */
export async function generatedLog(cache: string, users: number): Promise<BenchLog> {
  const name = `generated-${users}`;
  return kept(name, join(cache, name), (draft) =>
    generateLog({ users, days: 62, seed: 1, outputFolder: draft }).then(() => undefined),
  );
}

/** The authentic log `small`; undefined on a machine without it. */
export async function smallLog(cache: string): Promise<BenchLog | undefined> {
  if (!existsSync(SMALL_ARCHIVE)) return undefined;
  return kept('small', join(cache, 'small'), async (draft) => {
    await mkdir(draft, { recursive: true });
    await execa('tar', ['-xJf', SMALL_ARCHIVE, '-C', draft, '--strip-components=1']);
  });
}

async function kept(name: string, folder: string, make: (draft: string) => Promise<void>): Promise<BenchLog> {
  if (!existsSync(folder)) {
    console.error(`creating the log ${name} in ${folder}`);
    const draft = `${folder}.draft`;
    await rm(draft, { recursive: true, force: true });
    await mkdir(dirname(folder), { recursive: true });
    await make(draft);
    await rename(draft, folder);
  }
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).sort();
  const sizes = await Promise.all(files.map((file) => stat(join(folder, file))));
  return { name, folder, files, bytes: sizes.reduce((sum, { size }) => sum + size, 0) };
}
