/** The processor time of processes. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Linux reports times in ticks, of which a second has a hundred on every machine that Node runs on. */
const TICKS_PER_SECOND = 100;
/** Positions of utime, stime, cutime and cstime among the fields of /proc/<pid>/stat after the command's closing bracket. */
const TIME_FIELDS = [11, 12, 13, 14] as const;

/** User and system seconds of processes together, with those of children that they waited for. */
export function processorSeconds(pids: readonly number[]): number {
  const seconds = process.platform === 'linux' ? pids.map(fromProc) : fromPs(pids);
  return seconds.reduce((sum, each) => sum + each, 0);
}

/** 0 if the process has exited. */
function fromProc(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return TIME_FIELDS.reduce((sum, field) => sum + Number(fields[field]), 0) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}

/** Without children: ps does not report them. */
function fromPs(pids: readonly number[]): readonly number[] {
  if (pids.length === 0) return [];
  const text = execFileSync('ps', ['-o', 'time=', '-p', pids.join(',')], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  return text.split('\n').map(psSeconds);
}

/** Seconds of a time as ps writes it: `[[days-]hours:]minutes:seconds[.hundredths]`. */
export function psSeconds(text: string): number {
  const [clock = '', days = '0'] = text.trim().split('-').reverse();
  const ofDay = clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return Number(days) * 86_400 + ofDay;
}
