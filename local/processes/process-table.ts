/** The current processes of this machine, with their parents and groups. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
}

/** Every process that has not exited; a zombie has. */
export function processTable(): readonly ProcessRow[] {
  return process.platform === 'linux' ? fromProc() : fromPs();
}

/** Members of the group and all descendants of the leader, including those in other groups. */
export function family(leader: number, table: readonly ProcessRow[] = processTable()): readonly number[] {
  const found = new Set(
    table.filter(({ pid, group }) => pid === leader || group === leader).map(({ pid }) => pid),
  );
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const { pid, parent } of table) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}

function fromProc(): readonly ProcessRow[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const [state, parent, group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return row(state, name, parent, group);
      } catch {
        // It has exited since the listing.
        return [];
      }
    });
}

function fromPs(): readonly ProcessRow[] {
  return execFileSync('ps', ['-A', '-o', 'stat=,pid=,ppid=,pgid='], { encoding: 'utf8' })
    .split('\n')
    .flatMap((line) => {
      const [state, pid, parent, group] = line.trim().split(/\s+/);
      return row(state, pid, parent, group);
    });
}

function row(
  state: string | undefined,
  pid: string | undefined,
  parent: string | undefined,
  group: string | undefined,
): readonly ProcessRow[] {
  const ended = state === undefined || state.startsWith('Z') || state.startsWith('X');
  return ended ? [] : [{ pid: Number(pid), parent: Number(parent), group: Number(group) }];
}
