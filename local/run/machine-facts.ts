/** What a local run needs to know of this machine. */
import { spawnSync } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import {
  accessSync,
  constants,
  existsSync,
  linkSync,
  mkdtempSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { MachineFacts } from '../../domain/machine.ts';
import { projectRoot, sparkHome } from '../../setup/environment.mjs';
import { isForeign } from '../../setup/foreign-variables.mjs';
import { isMemoryLimited, memoryBytes } from '../spark/memory.ts';

/** Leaves nothing behind. */
export async function machineFacts(
  lakeFolder: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<MachineFacts> {
  const hostName = hostname();
  return {
    memoryBytes: memoryBytes(),
    isContainer: isMemoryLimited(),
    cores: availableParallelism(),
    projectFolder: projectRoot,
    projectIsWritable: isWritable(projectRoot),
    isSetUp: existsSync(sparkHome),
    lakeFolder: resolve(lakeFolder),
    lake: folderFacts(existingFolder(resolve(lakeFolder))),
    foreignVariables: Object.keys(environment).filter(isForeign).sort(),
    hostName,
    hostNameResolves: await lookup(hostName).then(
      () => true,
      () => false,
    ),
  };
}

/** The folder, or the nearest one above it that exists. */
function existingFolder(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : existingFolder(dirname(folder));
}

function folderFacts(folder: string): MachineFacts['lake'] {
  const { bavail, bsize } = statfsSync(folder);
  const freeBytes = bavail * bsize;
  if (!isWritable(folder)) return { isWritable: false, runsPrograms: false, hasHardLinks: false, freeBytes };
  const trial = mkdtempSync(join(folder, '.churn-trial-'));
  try {
    const program = join(trial, 'program');
    writeFileSync(program, '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    return {
      isWritable: true,
      runsPrograms: spawnSync(program).status === 0,
      hasHardLinks: succeeds(() => linkSync(program, join(trial, 'link'))),
      freeBytes,
    };
  } finally {
    rmSync(trial, { recursive: true, force: true });
  }
}

/** Root may write by its rights where the file system is read-only: only a trial shows it. */
function isWritable(folder: string): boolean {
  return succeeds(() => {
    accessSync(folder, constants.W_OK);
    rmSync(mkdtempSync(join(folder, '.churn-trial-')), { recursive: true });
  });
}

function succeeds(action: () => void): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}
