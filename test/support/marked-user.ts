/** A user whose id is found wherever it is: planted in a log, and looked for in all that a lake holds. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { FEATURE_TABLES } from '../../domain/features/features-table.ts';
import { TABLES, WAREHOUSE } from '../../domain/lake.ts';
import { OBJECT_PLACES, TABLE_PLACES } from '../../domain/user-id-places.ts';
import { queryLake } from './spark-lake.ts';

/**
 * Adds a user of that id to a log: with the events of the user who has the most of them and does not cancel, but for a
 * registration of 2030, which is after the log.
 * @param clean folder of the valid rows of the log
 * @returns how many events were added
 */
export async function addMarkedUser(log: string, clean: string, marker: string): Promise<number> {
  const texts = await Promise.all((await readdir(clean)).map((name) => readFile(join(clean, name), 'utf8')));
  const byUser = Map.groupBy(texts.join('\n').split('\n'), (line) => /"userId":"(\d+)"/.exec(line)?.[1]);
  byUser.delete(undefined);
  const staying = [...byUser.values()].filter((lines) => !lines.some((line) => line.includes('Cancel')));
  const [chosen] = staying.sort((a, b) => b.length - a.length);
  if (chosen === undefined) throw new Error(`no user of the log in ${clean} stays`);
  const marked = chosen.map((line) =>
    line
      .replace(/"userId":"\d+"/, `"userId":"${marker}"`)
      .replace(/"registration":\d+/, `"registration":${Date.parse('2030-01-01')}`),
  );
  await writeFile(join(log, 'marked-user.json'), `${marked.join('\n')}\n`);
  return marked.length;
}

export interface Sightings {
  /** Tables with rows that mention the id, and those among them that are no known place of ids. */
  readonly tables: readonly string[];
  readonly unknownTables: readonly string[];
  /** Other files, by their path in the lake. */
  readonly files: readonly string[];
  readonly unknownFiles: readonly string[];
}

/** Where a lake holds the id: tables by their rows, all other files by their text. */
export async function sightingsOf(lake: string, marker: string): Promise<Sightings> {
  const tables: string[] = [];
  for (const { name } of [...TABLES, ...FEATURE_TABLES]) {
    const [row] = await queryLake(
      lake,
      `SELECT count(*) AS n FROM ${name} AS found WHERE CAST(found AS VARCHAR) LIKE '%${marker}%'`,
    );
    if (Number(row?.n) > 0) tables.push(name);
  }
  const files: string[] = [];
  for (const entry of await readdir(lake, { recursive: true, withFileTypes: true })) {
    const path = posix.relative(lake, posix.join(entry.parentPath, entry.name));
    if (!entry.isFile() || path.startsWith(`${WAREHOUSE}/`)) continue;
    const bytes = await readFile(join(lake, path));
    const text = path.endsWith('.gz') ? gunzipSync(bytes) : bytes;
    if (text.includes(marker)) files.push(path);
  }
  const knownTables = TABLE_PLACES.map(({ table }) => table.name);
  const isKnown = (path: string): boolean =>
    OBJECT_PLACES.some(({ object }) => posix.matchesGlob(path, object.of('*').key));
  return {
    tables,
    unknownTables: tables.filter((name) => !knownTables.includes(name)),
    files,
    unknownFiles: files.filter((path) => !isKnown(path)),
  };
}
