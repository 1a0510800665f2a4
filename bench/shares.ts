/** What the processor time of a state went into. */
import { type ProcessTimes, timesBetween } from './process-times.ts';
import type { Activity } from './thread-dump.ts';
import type { Sample } from './thread-sampler.ts';

/** CPU seconds; together, they are those of the state. */
export interface Shares {
  /** Starting Java, Spark and Python, and loading classes. */
  readonly starting: number;
  /** Generating classes, and compiling them and others to machine code. */
  readonly compiling: number;
  readonly garbage: number;
  /** Reading lines, and JSON in them. */
  readonly parsing: number;
  /** Exchanging rows between tasks. */
  readonly shuffling: number;
  /** Analysing, optimising and explaining queries. */
  readonly planning: number;
  /** What else Spark's driver does: cutting queries into tasks, and handing them out. */
  readonly scheduling: number;
  /** In Python, where most models are fitted. */
  readonly python: number;
  /** All else: work on rows, and Node with its SQL engine. */
  readonly rest: number;
}

/** A moment of a run, in milliseconds since 1970, and the processor time by then. */
export interface Edge {
  readonly at: number;
  readonly times: ProcessTimes;
}

export interface Interval {
  readonly from: Edge;
  readonly until: Edge;
}

/**
 * The shares of a state. The time of Java and of Python is measured; that of Java is divided as its threads' samples are.
 * @param start the start of Spark, if it is in this state: all of it counts as starting
 */
export function sharesOf(state: Interval, start: Interval | undefined, samples: readonly Sample[]): Shares {
  const whole = timesBetween(state.from.times, state.until.times);
  const started = start === undefined ? undefined : timesBetween(start.from.times, start.until.times);
  const less = (name: keyof ProcessTimes): number => Math.max(0, whole[name] - (started?.[name] ?? 0));
  const inside = samples.filter(
    ({ at }) => isWithin(at, state) && !(start !== undefined && isWithin(at, start)),
  );
  const sampled = inside.reduce(
    (sum, { seconds }) => sum + Object.values(seconds).reduce((total, each) => total + each, 0),
    0,
  );
  const part = (activity: Activity): number =>
    sampled === 0
      ? 0
      : (less('java') * inside.reduce((sum, { seconds }) => sum + seconds[activity], 0)) / sampled;
  const known = {
    starting: (started?.all ?? 0) + part('starting'),
    compiling: part('compiling'),
    garbage: part('garbage'),
    parsing: part('parsing'),
    shuffling: part('shuffling'),
    planning: part('planning'),
    scheduling: part('scheduling'),
    python: less('python'),
  };
  const sum = Object.values(known).reduce((total, each) => total + each, 0);
  return { ...known, rest: Math.max(0, whole.all - sum) };
}

function isWithin(at: number, { from, until }: Interval): boolean {
  return at >= from.at && at < until.at;
}
