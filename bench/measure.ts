/** Runs a command and measures it together with all processes that it starts. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { family } from '../local/processes/process-table.ts';
import { processorSeconds } from '../local/processes/processor-time.ts';

const SAMPLE_MILLISECONDS = 500;
const KIBIBYTE = 1_024;

export interface Measurement {
  readonly wallSeconds: number;
  /** User and system time of the command and of all processes that it started. */
  readonly cpuSeconds: number;
  /** The largest amount of memory used by all processes together; shared pages are counted once. */
  readonly peakBytes: number;
  readonly output: string;
  /** Memory of all processes at moments, in milliseconds since 1970. */
  readonly memory: readonly MemorySample[];
}

export interface MemorySample {
  readonly at: number;
  readonly bytes: number;
}

export interface MeasureOptions {
  readonly folder?: string;
  /** Called once the command has its process. */
  readonly onStart?: (pid: number) => void;
}

/** @throws when the command fails, with what it wrote to standard error */
export async function measure(
  command: readonly string[],
  options: MeasureOptions = {},
): Promise<Measurement> {
  const started = performance.now();
  const child = spawn('/bin/sh', ['-c', '"$@"; code=$?; times >&3; exit $code', 'measure', ...command], {
    cwd: options.folder,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const texts = { output: '', errors: '', times: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    texts.output += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    texts.errors += text;
  });
  child.stdio[3]?.on('data', (chunk: Buffer) => {
    texts.times += chunk.toString();
  });
  const memory: MemorySample[] = [];
  const processorTimes: number[] = [];
  const { pid } = child;
  if (pid !== undefined) options.onStart?.(pid);
  const sampler = setInterval(() => {
    if (pid === undefined) return;
    const pids = family(pid);
    processorTimes.push(processorSeconds(pids));
    memory.push({ at: Date.now(), bytes: memoryOf(pids) });
  }, SAMPLE_MILLISECONDS);
  const [code] = await once(child, 'close').finally(() => clearInterval(sampler));
  const wallSeconds = (performance.now() - started) / 1_000;
  if (code !== 0)
    throw new Error(`${command.join(' ')} failed with exit code ${code}:\n${texts.errors}\n${texts.output}`);
  const peakBytes = peakOf(memory);
  // Spark's processes are killed at the end of a run, and the shell knows only those that were waited for.
  const cpuSeconds = cpuSecondsOf(texts.times) + lostSeconds(processorTimes);
  return { wallSeconds, cpuSeconds, peakBytes, output: texts.output, memory };
}

/** The largest of some samples. */
export function peakOf(samples: readonly MemorySample[]): number {
  return samples.reduce((peak, { bytes }) => Math.max(peak, bytes), 0);
}

/**
 * Seconds of processes that ended without being waited for, by which the time of all processes together has dropped.
 * One that has just ended is missing for a moment, until it is waited for: such a drop does not last.
 * @param totals in the order in which they were seen
 */
export function lostSeconds(totals: readonly number[]): number {
  return totals.reduce((lost, total, index) => {
    const [before = 0, after] = [totals[index - 1], totals[index + 1]];
    const lasts = after !== undefined && after < before;
    return lasts && total < before ? lost + before - total : lost;
  }, 0);
}

/** User and system seconds in the second line of the shell's `times`: `0m12.340000s 0m1.200000s`. */
export function cpuSecondsOf(times: string): number {
  const seconds = [...(times.split('\n')[1] ?? '').matchAll(/(\d+)m([\d.,]+)s/g)].map(
    ([, minutes, rest]) => Number(minutes) * 60 + Number(rest?.replace(',', '.')),
  );
  return seconds.reduce((sum, each) => sum + each, 0);
}

/** Linux reports each process's share of shared memory; elsewhere shared memory is counted several times. */
function memoryOf(pids: readonly number[]): number {
  if (process.platform !== 'linux') return residentMemory(pids);
  return pids.reduce((sum, pid) => {
    try {
      const share = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
      return sum + Number(share ?? 0) * KIBIBYTE;
    } catch {
      return sum;
    }
  }, 0);
}

function residentMemory(pids: readonly number[]): number {
  if (pids.length === 0) return 0;
  const text = execFileSync('ps', ['-o', 'rss=', '-p', pids.join(',')], { encoding: 'utf8' });
  return text.split('\n').reduce((sum, line) => sum + Number(line) * KIBIBYTE, 0);
}
