/**
 * A command in its own process group, which can be terminated as a whole and which terminates by itself when this
 * process is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { identify, isAlive, type ProcessIdentity } from './identity.ts';
import { family } from './process-table.ts';

/** Time for a clean exit: Spark stops its tasks and removes its scratch files. */
const GRACE_MILLISECONDS = 8_000;
/** Time for the system to remove killed processes. */
const REAP_MILLISECONDS = 5_000;
const POLL_MILLISECONDS = 50;

/**
 * Runs the command and exits with its exit code; the processor time it took is written to the file. Standard input is a
 * pipe to which nothing is written: when it closes, the starting process has died, and the guard terminates the group.
 * The leader itself stays until its work has finished.
 */
const LEADER = `
usage=$1; shift
trap : TERM
exec 3<&0 </dev/null
"$@" 3<&- &
work=$!
( trap '' TERM; read -r line <&3; kill -s TERM -- -$$; sleep ${GRACE_MILLISECONDS / 1_000}; kill -s KILL -- -$$ ) >/dev/null 2>&1 &
guard=$!
exec 3<&-
wait $work; code=$?
while kill -s 0 $work 2>/dev/null; do wait $work; code=$?; done
kill -s KILL $guard
times > "$usage"
exit $code
`;

export interface GroupOptions {
  /** File for the output of the shell's `times`: its second line is the user and system time of the command. */
  readonly usageFile?: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
}

/** Starts a command as the leader's child in a new group; standard output and error are pipes. */
export function spawnGroup(command: readonly string[], options: GroupOptions): ChildProcess {
  return spawn('/bin/sh', ['-c', LEADER, 'leader', options.usageFile ?? '/dev/null', ...command], {
    cwd: options.folder,
    env: options.environment,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** Asks the whole group to exit, and kills processes that have not done so in time. When this resolves, none is left. */
export async function endGroup(
  leader: ProcessIdentity,
  graceMilliseconds = GRACE_MILLISECONDS,
): Promise<void> {
  if (isReused(leader)) return;
  const members = identities(family(leader.pid));
  signalAll(members, 'SIGTERM');
  if (await ended(members, leader.pid, graceMilliseconds)) return;
  killGroup(leader, members);
  await ended(members, leader.pid, REAP_MILLISECONDS);
}

/** Kills the whole group immediately. */
export function killGroup(leader: ProcessIdentity, known: readonly ProcessIdentity[] = []): void {
  if (isReused(leader)) return;
  signalAll([...known, ...identities(family(leader.pid))], 'SIGKILL');
}

/** Whether any process of the group is alive, its leader or another. */
export function groupLives(leader: ProcessIdentity): boolean {
  return !isReused(leader) && family(leader.pid).length > 0;
}

/** A process id is not reused while a group with that id exists: another leader means another group. */
function isReused(leader: ProcessIdentity): boolean {
  const now = identify(leader.pid);
  return now !== undefined && now.startedAt !== leader.startedAt;
}

function identities(pids: readonly number[]): readonly ProcessIdentity[] {
  return pids.map(identify).filter((identity) => identity !== undefined);
}

function signalAll(members: readonly ProcessIdentity[], signal: NodeJS.Signals): void {
  for (const member of members) {
    if (!isAlive(member)) continue;
    try {
      process.kill(member.pid, signal);
    } catch {
      // It has just exited.
    }
  }
}

async function ended(
  members: readonly ProcessIdentity[],
  leader: number,
  milliseconds: number,
): Promise<boolean> {
  for (const start = Date.now(); Date.now() - start < milliseconds; await wait(POLL_MILLISECONDS)) {
    if (!members.some(isAlive) && family(leader).length === 0) return true;
  }
  return false;
}
