/** Processor time of a run's processes so far. */
import { readFileSync } from 'node:fs';
import { family } from '../local/processes/process-table.ts';
import { processorSeconds } from '../local/processes/processor-time.ts';

/** Seconds since the processes started. Only `all` is known outside Linux; the others are 0 there. */
export interface ProcessTimes {
  readonly all: number;
  readonly java: number;
  readonly python: number;
}

/** The times of a process and all its descendants. */
export function processTimes(leader: number): ProcessTimes {
  const pids = family(leader);
  const of = (program: string): number =>
    processorSeconds(pids.filter((pid) => nameOf(pid).startsWith(program)));
  return { all: processorSeconds(pids), java: of('java'), python: of('python') };
}

/** What was added from one moment to another; what has gone with its process counts as nothing. */
export function timesBetween(before: ProcessTimes, after: ProcessTimes): ProcessTimes {
  return {
    all: Math.max(0, after.all - before.all),
    java: Math.max(0, after.java - before.java),
    python: Math.max(0, after.python - before.python),
  };
}

/** The Java processes among a process and its descendants. */
export function javaProcesses(leader: number): readonly number[] {
  return family(leader).filter((pid) => nameOf(pid) === 'java');
}

/** Name of a program; empty if the process has exited, or outside Linux. */
function nameOf(pid: number): string {
  if (process.platform !== 'linux') return '';
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}
