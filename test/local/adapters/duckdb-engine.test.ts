import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LEDGER } from '../../../domain/lake-objects.ts';
import { DuckDbEngine } from '../../../local/adapters/duckdb-engine.ts';

let folder: string;
let engine: DuckDbEngine;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lake [1] 'a' "));
  engine = new DuckDbEngine({ folder, queriesFolder: join(folder, 'local/queries') });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const answer = async (sql: string): ReturnType<DuckDbEngine['results']> =>
  engine.results(await engine.start(sql));

describe('the local SQL engine', () => {
  it('shows a table that does not exist yet as empty, with its columns', async () => {
    expect(
      await answer("SELECT 'events' AS table_name, count(*) AS counted FROM events WHERE batch_id = 'x'"),
    ).toEqual([{ table_name: 'events', counted: '0' }]);
    expect(await answer('SELECT max(probability) AS p, count(reasons[1]) AS r FROM churn.scores')).toEqual([
      { p: null, r: '0' },
    ]);
  });

  it('reads the JSON tables with one or more lines per object, and skips drafts', async () => {
    await mkdir(join(folder, LEDGER.folder), { recursive: true });
    const line = (uri: string, rows: number): string =>
      `${JSON.stringify({ uri, batch_id: 'b', rows_read: rows, unknown: 1 })}\n`;
    await writeFile(
      join(folder, LEDGER.of('b').key),
      line('file:///a', 2) + line('file:///b', 3_000_000_000),
    );
    await writeFile(join(folder, LEDGER.of('c').key), line('file:///c', 1));
    await writeFile(join(folder, LEDGER.folder, '.draft.json'), '{"uri": ');
    expect(
      await answer('SELECT count(*) AS files, sum(rows_read) AS n, min(etag) AS e FROM ingest_files'),
    ).toEqual([{ files: '3', n: '3000000003', e: null }]);
  });

  it('keeps a result for a later process, and names a missing query', async () => {
    const id = await engine.start('SELECT 1 AS one');
    const later = new DuckDbEngine({ folder, queriesFolder: join(folder, 'local/queries') });
    expect(await later.results(id)).toEqual([{ one: '1' }]);
    await expect(later.results('nothing')).rejects.toThrow('no query nothing');
  });

  it('fails with the reason why a query cannot run', async () => {
    await expect(engine.start('SELECT no_such_column FROM events')).rejects.toThrow('no_such_column');
  });
});
