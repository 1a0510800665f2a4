/**
 * Vitest's global set-up: all that tests and their programs write to the temporary folder is in one folder of their own,
 * which is removed after them. A test that leaves something there is an error; what a test leaves that was killed is removed
 * by the next tests.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NAME = /^churn-tests-(\d+)$/;
/** Begins the name of a folder that several test files of a process read: none of them can remove it. */
export const SHARED_APP = 'churn-synth-';
/** Names that are shown of what is left. */
const SHOWN = 10;

/** @returns what to do after the tests; it throws if they have left something */
export function setup(): () => void {
  const outer = tmpdir();
  for (const name of readdirSync(outer)) {
    const pid = NAME.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid)))
      rmSync(join(outer, name), { recursive: true, force: true });
  }
  const root = join(outer, `churn-tests-${process.pid}`);
  mkdirSync(root, { recursive: true });
  process.env.TMPDIR = root;
  return () => {
    process.env.TMPDIR = outer;
    const left = readdirSync(root).filter((name) => !name.startsWith(SHARED_APP));
    rmSync(root, { recursive: true, force: true });
    if (left.length > 0) {
      throw new Error(
        `Tests left ${left.length} files or folders in the temporary folder, where afterAll should remove them: ` +
          left.slice(0, SHOWN).join(', '),
      );
    }
  };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
