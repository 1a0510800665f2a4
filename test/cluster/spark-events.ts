/** Where the tasks of an application ran, from the events that Spark logs. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

export interface ApplicationTasks {
  /** Hosts by the ids of the executors that joined. */
  readonly executors: ReadonlyMap<string, string>;
  /** For each barrier stage the executors of its tasks that have succeeded. */
  readonly barrierStages: readonly (readonly string[])[];
}

const eventSchema = z.discriminatedUnion('Event', [
  z.looseObject({
    Event: z.literal('SparkListenerExecutorAdded'),
    'Executor ID': z.string(),
    'Executor Info': z.looseObject({ Host: z.string() }),
  }),
  z.looseObject({
    Event: z.literal('SparkListenerStageSubmitted'),
    'Stage Info': z.looseObject({
      'Stage ID': z.number(),
      'RDD Info': z.array(z.looseObject({ Barrier: z.boolean().default(false) })),
    }),
  }),
  z.looseObject({
    Event: z.literal('SparkListenerTaskEnd'),
    'Stage ID': z.number(),
    'Task Info': z.looseObject({ 'Executor ID': z.string(), Failed: z.boolean() }),
  }),
]);

/** @param folder holds the event log of one application */
export async function applicationTasks(folder: string): Promise<ApplicationTasks> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((each) =>
    each.isFile(),
  );
  const texts = await Promise.all(
    names.map(({ parentPath, name }) => readFile(join(parentPath, name), 'utf8')),
  );
  const executors = new Map<string, string>();
  const tasks = new Map<number, string[]>();
  const barriers = new Set<number>();
  for (const line of texts.flatMap((text) => text.split('\n')).filter((each) => each !== '')) {
    const event = eventIn(line);
    if (event?.Event === 'SparkListenerExecutorAdded') {
      executors.set(event['Executor ID'], event['Executor Info'].Host);
    } else if (event?.Event === 'SparkListenerTaskEnd' && !event['Task Info'].Failed) {
      const stage = event['Stage ID'];
      tasks.set(stage, [...(tasks.get(stage) ?? []), event['Task Info']['Executor ID']]);
    } else if (event?.Event === 'SparkListenerStageSubmitted') {
      const { 'Stage ID': stage, 'RDD Info': datasets } = event['Stage Info'];
      if (datasets.some(({ Barrier }) => Barrier)) barriers.add(stage);
    }
  }
  return { executors, barrierStages: [...barriers].map((stage) => tasks.get(stage) ?? []) };
}

/** Undefined for one of the many other events, and for a line that is being written. */
function eventIn(line: string): z.infer<typeof eventSchema> | undefined {
  try {
    return eventSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
