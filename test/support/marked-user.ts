/** A user whose id is found wherever it is: planted in a log, and looked for in all that a lake holds. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { FEATURE_TABLES } from '../../domain/features/features-table.ts';
import { TABLES, WAREHOUSE } from '../../domain/lake.ts';
import { OBJECT_PLACES, TABLE_PLACES } from '../../domain/user-id-places.ts';
import { queryLake } from './spark-lake.ts';

/** Gives the user with the most events who does not cancel that id, and a registration of 2030: after the log. */
export async function markUser(log: string, marker: string): Promise<void> {
  const files = await readdir(log);
  const texts = await Promise.all(files.map((name) => readFile(join(log, name), 'utf8')));
  const events = new Map<string, number>();
  const cancelled = new Set<string>();
  for (const line of texts.join('\n').split('\n')) {
    const user = /"userId":"(\d+)"/.exec(line)?.[1];
    if (user === undefined) continue;
    events.set(user, (events.get(user) ?? 0) + 1);
    if (line.includes('Cancel')) cancelled.add(user);
  }
  const [chosen] = [...events].filter(([user]) => !cancelled.has(user)).sort(([, a], [, b]) => b - a);
  if (chosen === undefined) throw new Error(`no user of the log in ${log} stays`);
  const own = `"userId":"${chosen[0]}"`;
  const marked = (line: string): string =>
    line.includes(own)
      ? line
          .replace(own, `"userId":"${marker}"`)
          .replace(/"registration":\d+/, `"registration":${Date.parse('2030-01-01')}`)
      : line;
  await Promise.all(
    files.map((name, index) =>
      writeFile(join(log, name), (texts[index] ?? '').split('\n').map(marked).join('\n')),
    ),
  );
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
