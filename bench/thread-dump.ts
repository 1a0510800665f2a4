/** What Java's threads are doing, from its thread dump. */

/** What a thread may be doing. `working`: rows, or whatever is none of the others. */
export const ACTIVITIES = [
  'starting',
  'compiling',
  'garbage',
  'planning',
  'scheduling',
  'parsing',
  'shuffling',
  'working',
] as const;
export type Activity = (typeof ACTIVITIES)[number];
export type ActivitySeconds = Readonly<Record<Activity, number>>;

export interface DumpedThread {
  /** The same as long as the thread lives; its name may change. */
  readonly id: string;
  readonly activity: Activity;
  /** Processor time since it began. */
  readonly cpuSeconds: number;
}

type Frames = readonly (readonly [Activity, RegExp])[];

/**
 * The innermost frame that one of these matches decides: outer ones are there in every dump of a task that writes what
 * it has read. Classes are loaded when they are first used, which is part of starting.
 */
const ANYWHERE: Frames = [
  ['starting', /^(java\.lang\.ClassLoader\.|jdk\.internal\.loader\.|java\.lang\.Class\.forName)/],
  ['compiling', /^org\.codehaus\.(janino|commons\.compiler)\.|\.codegen\.(CodeGenerator|CodeFormatter)\b/],
];
const IN_TASKS: Frames = [
  ...ANYWHERE,
  [
    'parsing',
    /^com\.fasterxml\.jackson\.core\.|\.catalyst\.json\.|^org\.apache\.hadoop\.(util\.LineReader|mapreduce\.lib\.input)\b/,
  ],
  ['shuffling', /^org\.apache\.spark\.(shuffle|network|serializer)\.|\.UnsafeRowSerializer/],
  ['working', /GeneratedIteratorForCodegenStage|\$GeneratedClass\$|^org\.apache\.(iceberg|parquet)\./],
];
const IN_DRIVER: Frames = [
  ...ANYWHERE,
  ['planning', /^org\.apache\.spark\.sql\./],
  ['scheduling', /^org\.apache\.spark\./],
];
const TASK = /^Executor task /;
const COMPILER = /^C[12] CompilerThread/;
const COLLECTOR = /^(GC Thread|VM Thread|ParGC|G1 )/;

/** @param frames from the innermost outwards, as `class.method` */
export function activityOf(thread: string, frames: readonly string[]): Activity {
  if (COMPILER.test(thread)) return 'compiling';
  if (COLLECTOR.test(thread)) return 'garbage';
  const known = TASK.test(thread) ? IN_TASKS : IN_DRIVER;
  for (const frame of frames) {
    const found = known.find(([, pattern]) => pattern.test(frame));
    if (found !== undefined) return found[0];
  }
  return 'working';
}

const THREAD = /^"(.*)" .*\bcpu=([\d.]+)ms .*\btid=(\S+)/;
const FRAME = /^\s+at (.+)\(/;

/** Reads a dump, as Java writes it. */
export function readThreadDump(text: string): readonly DumpedThread[] {
  return text.split(/\n(?=")/).flatMap((part) => {
    const [head = '', ...lines] = part.split('\n');
    const found = THREAD.exec(head);
    if (found === null) return [];
    const [, name = '', milliseconds, id = ''] = found;
    // The name of a module comes before the class: java.base@17.0.9/java.util.HashMap.get
    const frames = lines.flatMap((line) => FRAME.exec(line)?.[1]?.replace(/^.*\//, '') ?? []);
    return [{ id, activity: activityOf(name, frames), cpuSeconds: Number(milliseconds) / 1_000 }];
  });
}

export const NO_SECONDS: ActivitySeconds = {
  starting: 0,
  compiling: 0,
  garbage: 0,
  planning: 0,
  scheduling: 0,
  parsing: 0,
  shuffling: 0,
  working: 0,
};

/** What each thread has used since the dump before counts for what it is doing now. */
export function secondsSince(
  before: readonly DumpedThread[],
  after: readonly DumpedThread[],
): ActivitySeconds {
  const used = new Map(before.map(({ id, cpuSeconds }) => [id, cpuSeconds]));
  const sum: Record<Activity, number> = { ...NO_SECONDS };
  for (const { id, activity, cpuSeconds } of after)
    sum[activity] += Math.max(0, cpuSeconds - (used.get(id) ?? 0));
  return sum;
}
