/** Upkeep on real Spark: files change and rows do not, nothing is computed again for it, and no file of a table is lost. */
import { mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EVENTS, LOCAL_DATABASE, QUARANTINED_EVENTS, USER_DAYS, WAREHOUSE } from '../../domain/lake.ts';
import type { IngestResult } from '../../domain/results.ts';
import type { EventFile, RunPlan } from '../../domain/run.ts';
import { ingestEvents } from '../../emr-steps/ingest-events.ts';
import { eventFiles, queryLake, resultOf, temporaryFolder, writePlan } from '../support/spark-lake.ts';
import { type ServedStep, StepServer } from '../support/step-server.ts';

const HOUR_MILLISECONDS = 3_600_000;
/** As many as make compaction pay; all of one day. */
const DELIVERIES = 8;
/** Before refused rows are too old to be kept. */
const PLANNED_AT = new Date('2026-01-01T12:00:00Z');

/** Divides each day of user_days into many files, as if it had been written so. */
const scattering: ServedStep = {
  scriptName: 'scatter.py',
  script: `${ingestEvents.script}

def run(spark, plan):
    user_days = table_name(plan, USER_DAYS)
    written = iceberg_table(spark, user_days).currentSnapshot().summary()
    writer = spark.table(user_days).repartition(12).writeTo(user_days).option("fanout-enabled", "true")
    for name in (COMPUTED_FROM, COMPUTED_BY):
        writer = writer.option(f"snapshot-property.{name}", written.get(name))
    writer.overwritePartitions()
    return {}
`,
};

/** Counts the files of each table now, and the rows of each of its snapshots. */
const looking: ServedStep = {
  scriptName: 'look.py',
  script: `${ingestEvents.script}

def run(spark, plan):
    def look(name):
        table = table_name(plan, name)
        snapshots = [str(snapshot.snapshotId()) for snapshot in iceberg_table(spark, table).snapshots()]
        rows = {id: spark.read.option("snapshot-id", id).table(table).count() for id in snapshots}
        return {"files": spark.table(f"{table}.files").count(), "rows": rows}
    return {name: look(name) for name in (EVENTS, USER_DAYS, QUARANTINE)}
`,
};
const lookSchema = z.record(
  z.string(),
  z.strictObject({ files: z.number(), rows: z.record(z.string(), z.number()) }),
);
type Look = z.infer<typeof lookSchema>;

/** Everything but the files that hold it. */
const ROWS = [EVENTS, USER_DAYS, QUARANTINED_EVENTS].map(
  ({ name, columns }) =>
    `SELECT ${columns
      .map((column) => column.name)
      .filter((column) => column !== 'artist_sketch')
      .join(', ')} FROM ${name} ORDER BY ALL`,
);

describe('upkeep', () => {
  let folder: string;
  let lake: string;
  let server: StepServer;
  let runs = 0;

  async function plan(files: readonly EventFile[] = []): Promise<RunPlan> {
    runs += 1;
    return writePlan(lake, {
      runId: `run-${runs}`,
      plannedAt: PLANNED_AT,
      files,
      ingest: { maxQuarantineShare: 1 },
    });
  }

  async function serve(step: ServedStep, files: readonly EventFile[] = []): Promise<RunPlan> {
    const served = await plan(files);
    const reply = await server.run(step, served);
    expect(reply.outcome, `${reply.error}`).toBe('done');
    return served;
  }

  const ingest = async (files?: readonly EventFile[]): Promise<IngestResult> =>
    resultOf(ingestEvents, await serve(ingestEvents, files));

  const look = async (): Promise<Look> =>
    resultOf({ ...ingestEvents, result: lookSchema }, await serve(looking));

  const rows = async (): Promise<unknown> => {
    const found: unknown[] = [];
    for (const sql of ROWS) found.push(await queryLake(lake, sql));
    return found;
  };

  /** All files of a folder. */
  async function filesIn(path: string): Promise<readonly string[]> {
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  }

  async function age(path: string, hours: number): Promise<void> {
    const time = new Date(Date.now() - hours * HOUR_MILLISECONDS);
    await utimes(path, time, time);
  }

  const row = (delivery: number, user: number): string =>
    JSON.stringify({
      ts: Date.parse('2018-10-05T10:00:00Z') + delivery * 60_000,
      userId: `u${user}`,
      sessionId: user,
      itemInSession: delivery,
      page: user === 0 ? 'Nowhere' : 'NextSong',
      auth: 'Logged In',
      level: 'free',
    });

  beforeAll(async () => {
    folder = await temporaryFolder();
    // Addresses in Iceberg's metadata and those that are listed must agree in any characters.
    lake = join(folder, 'lake é %20');
    server = await StepServer.start(folder, [ingestEvents, scattering, looking]);
    const log = join(folder, 'log');
    await mkdir(log);
    for (let delivery = 0; delivery < DELIVERIES; delivery += 1) {
      const lines = Array.from({ length: 20 }, (_, user) => row(delivery, user));
      await writeFile(join(log, `${delivery}.json`), lines.join('\n'));
    }
    const files = await eventFiles(log);
    for (const [delivery, file] of files.entries()) {
      const { upkeep } = await ingest([file]);
      const pays = delivery === DELIVERIES - 1;
      // Of events and of refused rows, one file of each delivery.
      expect(upkeep, `delivery ${delivery}`).toEqual({
        filesCompacted: pays ? 2 * DELIVERIES : 0,
        filesWritten: pays ? 2 : 0,
        orphansRemoved: 0,
      });
    }
  });
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('makes few files of many once it pays, and keeps every row', async () => {
    const seen = await look();
    expect(seen.events?.files).toBe(1);
    expect(seen.quarantined_events?.files).toBe(1);
    const [{ events, users } = {}] = await queryLake(
      lake,
      'SELECT count(*) AS events, count(DISTINCT (user_id, item_in_session)) AS users FROM events',
    );
    expect([Number(events), Number(users)]).toEqual([19 * DELIVERIES, 19 * DELIVERIES]);
  });

  it('changes no row and no day: nothing is computed again, in this run or the next', async () => {
    await serve(scattering);
    const before = await look();
    expect(before.user_days?.files).toBe(12);
    const held = await rows();
    const first = await ingest();
    expect(first.upkeep).toEqual({ filesCompacted: 12, filesWritten: 1, orphansRemoved: 0 });
    expect(first.daysRecomputed).toBe(0);
    const second = await ingest();
    expect(second.upkeep).toEqual({ filesCompacted: 0, filesWritten: 0, orphansRemoved: 0 });
    expect(second.daysRecomputed).toBe(0);
    expect((await look()).user_days?.files).toBe(1);
    expect(await rows()).toEqual(held);
  });

  it('sees the days of a delivery that comes after it, and only those', async () => {
    const log = join(folder, 'later');
    await mkdir(log);
    const later = row(0, 1).replace(/"ts":\d+/, `"ts":${Date.parse('2018-10-07T10:00:00Z')}`);
    await writeFile(join(log, 'later.json'), `${later}\n`);
    expect((await ingest(await eventFiles(log))).daysRecomputed).toBe(1);
  });

  it('removes what no snapshot names and is a day old, and nothing else', async () => {
    const tables = join(lake, WAREHOUSE, LOCAL_DATABASE);
    const orphan = (name: string): string => join(tables, EVENTS.name, name);
    const old = [orphan('data/event_date=2018-10-05/lost.parquet'), orphan('metadata/lost-m0.avro')];
    const young = orphan('data/event_date=2018-10-05/being-written.parquet');
    for (const path of [...old, young]) await writeFile(path, 'left behind');
    // All that belongs to the tables is old, too.
    for (const path of await filesIn(tables)) await age(path, 72);
    await age(young, 1);
    const [held, before] = [await rows(), await look()];
    expect((await ingest()).upkeep?.orphansRemoved).toBe(old.length);
    for (const path of old) await expect(stat(path), path).rejects.toThrow('ENOENT');
    await stat(young);
    expect(await rows()).toEqual(held);
    // Every snapshot can still be read.
    const after = await look();
    for (const [table, { rows: bySnapshot }] of Object.entries(before))
      expect(after[table]?.rows, table).toMatchObject(bySnapshot);
    expect(await ingest()).toMatchObject({ daysRecomputed: 0, upkeep: { orphansRemoved: 0 } });
  });
});
