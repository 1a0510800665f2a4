/** What daily runs cost, and how the lake grows with them, as a table. */
import { count } from '../bin/terminal/words.ts';
import type { LakeSize } from './lake-size.ts';
import { mean, median } from './statistics.ts';
import { megabytes, seconds, textTable } from './text-table.ts';

export interface DayFigures extends LakeSize {
  /** 0 for the first run, 1 for the first that adds a day. */
  readonly day: number;
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  readonly hasTrained: boolean;
}

/** The day with which the last is compared, where there are so many. */
const EARLY_DAY = 10;
/** Cutoffs are five days apart, so that in five days the same is done as in the next five. */
const DAYS_TOGETHER = 5;

/** @param runs in order, the first run among them */
export function daysText(runs: readonly DayFigures[]): string {
  const days = runs.filter(({ day }) => day > 0);
  const rows = runs.map((each) => [
    each.day === 0 ? 'first run' : `day ${each.day}`,
    seconds(each.cpuSeconds),
    seconds(each.wallSeconds),
    each.hasTrained ? 'yes' : 'no',
    megabytes(each.bytes),
    count(each.files),
    count(each.snapshots),
  ]);
  const heads = ['', 'CPU s', 'seconds', 'trained', 'lake, MB', 'files', 'snapshots'];
  return [textTable([heads, ...rows]), ...comparisonsOf(days)].join('\n');
}

/** A group of neighbouring days. */
export interface Days {
  readonly from: number;
  readonly until: number;
  readonly figures: readonly DayFigures[];
}

/** The days up to day 10 and up to the last, or the first and second half of fewer than twenty; no day is in both. */
export function compared(days: readonly DayFigures[]): readonly [Days, Days] | undefined {
  const last = days.length;
  const early = Math.min(EARLY_DAY, Math.floor(last / 2));
  if (early === 0) return undefined;
  const together = Math.min(DAYS_TOGETHER, early);
  const ending = (until: number): Days => ({
    from: until - together + 1,
    until,
    figures: days.slice(until - together, until),
  });
  return [ending(early), ending(last)];
}

function comparisonsOf(days: readonly DayFigures[]): readonly string[] {
  const found = compared(days);
  if (found === undefined) return [];
  const [early, late] = found;
  const cpu = (of: Days): number => mean(of.figures.map(({ cpuSeconds }) => cpuSeconds));
  const all = `days ${late.from} to ${late.until} cost ${(cpu(late) / cpu(early)).toFixed(2)} times the CPU of days ${early.from} to ${early.until}`;
  const untrained = ({ figures }: Days): readonly number[] =>
    figures.filter(({ hasTrained }) => !hasTrained).map(({ cpuSeconds }) => cpuSeconds);
  const [before, after] = [untrained(early), untrained(late)];
  if (before.length === 0 || after.length === 0) return ['', `${all}.`];
  return [
    '',
    `${all}; without those that trained, ${(median(after) / median(before)).toFixed(2)} times (medians).`,
  ];
}
