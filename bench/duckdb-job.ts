/**
 * The yardstick: DuckDB does ingest's job, as somebody who knows it would. JSON to typed, de-duplicated Parquet by
 * day, and the daily roll-up, on two threads. Run as: node bench/duckdb-job.ts <event files...> <output folder>
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { RAW_COLUMNS, type RawType } from '../lib/domain/events.ts';
import { PAGE_COUNTERS } from '../lib/domain/lake.ts';

const THREADS = '2';
const MEMORY_LIMIT = '4GB';
const TYPES: Readonly<Record<RawType, string>> = { string: 'VARCHAR', integer: 'BIGINT', number: 'DOUBLE' };

const [pattern, outputFolder] = process.argv.slice(2);
if (pattern === undefined || outputFolder === undefined) {
  throw new Error(
    'name the event files and the folder to write to: node bench/duckdb-job.ts <glob> <folder>',
  );
}
const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;
const columns = RAW_COLUMNS.map(({ name, type }) => `${name}: '${TYPES[type]}'`).join(', ');
const events = join(outputFolder, 'events');
mkdirSync(outputFolder, { recursive: true });
const instance = await DuckDBInstance.create(':memory:', {
  threads: THREADS,
  memory_limit: MEMORY_LIMIT,
  temp_directory: join(outputFolder, 'spill'),
  preserve_insertion_order: 'false',
});
const connection = await instance.connect();
await connection.run(`
  COPY (
    SELECT DISTINCT
      CAST(make_timestamp(ts * 1000) AS DATE) AS event_date,
      make_timestamp(ts * 1000) AS event_time,
      userId AS user_id, sessionId AS session_id, CAST(itemInSession AS INTEGER) AS item_in_session,
      page, auth, level, method, CAST(status AS INTEGER) AS status, artist, song, length AS length_seconds,
      gender, location, userAgent AS user_agent, make_timestamp(registration * 1000) AS registered_at
    FROM read_json(${text(pattern)}, format = 'newline_delimited', columns = {${columns}})
    WHERE ts IS NOT NULL AND page IS NOT NULL
  ) TO ${text(events)} (FORMAT parquet, PARTITION_BY (event_date))`);
const counters = PAGE_COUNTERS.map(
  ({ column, page }) => `count(*) FILTER (page = ${text(page)}) AS ${column}`,
);
await connection.run(`
  COPY (
    SELECT
      CAST(event_time AS DATE) AS day, user_id, count(*) AS events, ${counters.join(', ')},
      count(*) FILTER (level = 'paid') AS paid_events, sum(length_seconds) AS song_seconds,
      count(DISTINCT session_id) AS sessions, approx_count_distinct(artist) AS artists,
      min(event_time) AS first_event_at, max(event_time) AS last_event_at,
      arg_max(level, event_time) AS level, arg_max(location, event_time) AS location,
      arg_max(user_agent, event_time) AS user_agent, arg_max(registered_at, event_time) AS registered_at
    FROM read_parquet(${text(join(events, '**/*.parquet'))})
    WHERE auth IN ('Logged In', 'Cancelled')
    GROUP BY ALL
  ) TO ${text(join(outputFolder, 'user_days.parquet'))} (FORMAT parquet)`);
connection.closeSync();
instance.closeSync();
