/** page_days on real Spark: only days that have changed are counted, and all of them when they are to be counted another way. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EventFile, RunPlan } from '../../domain/run.ts';
import { ingestEvents } from '../../emr-steps/ingest-events.ts';
import { eventFiles, queryLake, temporaryFolder, writePlan } from '../support/spark-lake.ts';
import { type ServedStep, StepServer } from '../support/step-server.ts';

/**
 * Counts every page of page_days a thousand times too often, as if it had been counted so: by the same definition, by another,
 * or from a snapshot that is gone, of which there were also events of a day two months earlier.
 */
const miscounting = (by: 'the same' | 'another' | 'gone'): ServedStep => ({
  scriptName: `miscount-${by.replace('the ', '')}.py`,
  script: `${ingestEvents.script}

def run(spark, plan):
    page_days = table_name(plan, PAGE_DAYS)
    written = iceberg_table(spark, page_days).currentSnapshot().summary()
    by = ${by === 'another' ? '"another"' : 'written.get(COMPUTED_BY)'}
    source = ${by === 'gone' ? '"1"' : 'written.get(COMPUTED_FROM)'}
    rows = spark.table(page_days).withColumn("events", F.expr("events * 1000"))
    earlier = rows.withColumn("day", F.date_sub("day", 60)).where(${by === 'gone' ? '"true"' : '"false"'})
    (
        rows.unionByName(earlier)
        .writeTo(page_days)
        .option(f"snapshot-property.{COMPUTED_FROM}", source)
        .option(f"snapshot-property.{COMPUTED_BY}", by)
        .overwrite(F.lit(True))
    )
    return {}
`,
});

let folder: string;
let lake: string;
let server: StepServer;
let runs = 0;

async function serve(step: ServedStep, files: readonly EventFile[] = []): Promise<RunPlan> {
  runs += 1;
  const plan = await writePlan(lake, { runId: `run-${runs}`, files });
  const reply = await server.run(step, plan);
  expect(reply.outcome, `${reply.error}`).toBe('done');
  return plan;
}

/** Delivers a file with so many visits of a page on a day, and ingests it. */
async function deliver(name: string, day: string, page: string, visits: number): Promise<void> {
  const delivery = join(folder, name);
  await mkdir(delivery);
  const rows = Array.from({ length: visits }, (_, item) =>
    JSON.stringify({
      ts: Date.parse(`${day}T10:00:00Z`) + item * 60_000,
      ...{ userId: '1', sessionId: 1, itemInSession: item, page, auth: 'Logged In', level: 'free' },
    }),
  );
  await writeFile(join(delivery, `${name}.json`), rows.join('\n'));
  await serve(ingestEvents, await eventFiles(delivery));
}

const counted = (): Promise<unknown> =>
  queryLake(
    lake,
    `SELECT strftime(day, '%d') || ' ' || page AS page, CAST(events AS INTEGER) AS events FROM page_days ORDER BY ALL`,
  );

beforeAll(async () => {
  folder = await temporaryFolder();
  lake = join(folder, 'lake');
  server = await StepServer.start(folder, [
    ingestEvents,
    ...(['the same', 'another', 'gone'] as const).map(miscounting),
  ]);
  await deliver('first', '2018-10-01', 'Home', 2);
  await deliver('second', '2018-10-02', 'Home', 3);
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

it('counts the days again of which events came, and no others', async () => {
  expect(await counted()).toEqual([
    { page: '01 Home', events: 2 },
    { page: '02 Home', events: 3 },
  ]);
  await serve(miscounting('the same'));
  await deliver('third', '2018-10-02', 'Help', 4);
  expect(await counted()).toEqual([
    // Nothing has come of this day: what was counted wrong stays wrong.
    { page: '01 Home', events: 2_000 },
    { page: '02 Help', events: 4 },
    { page: '02 Home', events: 3 },
  ]);
});

it('counts every day again when it was counted by another definition', async () => {
  await serve(miscounting('another'));
  await deliver('fourth', '2018-10-03', 'Home', 1);
  expect(await counted()).toEqual([
    { page: '01 Home', events: 2 },
    { page: '02 Help', events: 4 },
    { page: '02 Home', events: 3 },
    { page: '03 Home', events: 1 },
  ]);
});

it('counts from the events that it was counted from last: nothing is done where none have changed', async () => {
  await serve(miscounting('the same'));
  await serve(ingestEvents);
  const before = await counted();
  expect(before).toContainEqual({ page: '03 Home', events: 1_000 });
  await serve(ingestEvents);
  expect(await counted()).toEqual(before);
});

it('counts every day again when it was counted from a snapshot that is gone, and drops days of which nothing is left', async () => {
  await serve(miscounting('gone'));
  expect(await counted()).toHaveLength(8);
  await deliver('fifth', '2018-10-03', 'Help', 2);
  expect(await counted()).toEqual([
    { page: '01 Home', events: 2 },
    { page: '02 Help', events: 4 },
    { page: '02 Home', events: 3 },
    { page: '03 Help', events: 2 },
    { page: '03 Home', events: 1 },
  ]);
});
