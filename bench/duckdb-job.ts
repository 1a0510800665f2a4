/**
 * The yardstick: DuckDB does ingest's job, written as an experienced user would write it. It turns JSON into typed,
 * de-duplicated Parquet by day, and into the daily counts per user with everything that user_days has, on two threads.
 * Run as: node bench/duckdb-job.ts <event files...> <output folder>
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { RAW_COLUMNS, SONG_PAGE } from '../domain/events.ts';
import { PAGE_COUNTERS } from '../domain/lake.ts';
import { DUCKDB_TYPES } from './duckdb-types.ts';

const THREADS = '2';
const MEMORY_LIMIT = '4GB';

const [pattern, outputFolder] = process.argv.slice(2);
if (pattern === undefined || outputFolder === undefined) {
  throw new Error(
    'name the event files and the folder to write to: node bench/duckdb-job.ts <glob> <folder>',
  );
}
const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;
const columns = RAW_COLUMNS.map(({ name, type }) => `${name}: '${DUCKDB_TYPES[type]}'`).join(', ');
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
const latest = ['level', 'gender', 'location', 'user_agent', 'registered_at'].map(
  (column) => `arg_max(${column}, event_time) AS ${column}`,
);
await connection.run(`
  COPY (
    WITH user_events AS (
      SELECT CAST(event_time AS DATE) AS day, * EXCLUDE (event_date)
      FROM read_parquet(${text(join(events, '**/*.parquet'))})
      WHERE auth IN ('Logged In', 'Cancelled')
    ), sessions AS (
      SELECT day, user_id, session_id, min(event_time) AS started_at, max(event_time) AS ended_at
      FROM user_events
      GROUP BY ALL
    ), session_days AS (
      SELECT
        day, user_id, count(*) AS sessions, sum(epoch_ms(ended_at) - epoch_ms(started_at)) / 1000 AS session_seconds,
        min({'at': started_at, 'until': ended_at, 'id': session_id}) AS first_session,
        max({'until': ended_at, 'at': started_at, 'id': session_id}) AS last_session
      FROM sessions
      GROUP BY ALL
    ), event_days AS (
      SELECT
        day, user_id, count(*) AS events, ${counters.join(', ')},
        count(*) FILTER (level = 'paid') AS paid_events,
        count(*) FILTER (level = 'paid' AND page = ${text(SONG_PAGE)}) AS paid_songs,
        sum(length_seconds) AS song_seconds, approx_count_distinct(artist) AS artists, ${latest.join(', ')}
      FROM user_events
      GROUP BY ALL
    )
    SELECT * FROM event_days JOIN session_days USING (day, user_id)
  ) TO ${text(join(outputFolder, 'user_days.parquet'))} (FORMAT parquet)`);
connection.closeSync();
instance.closeSync();
