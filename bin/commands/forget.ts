/** `churn forget`: adds users to the list of users whose rows ingest drops, in a local or a deployed lake. */
import { Command } from 'commander';
import { forget } from '../../domain/forgotten-users.ts';
import type { Table } from '../../domain/lake.ts';
import { CURRENT, FORGOTTEN_USERS, PLAN } from '../../domain/lake-objects.ts';
import { TABLE_PLACES, type TablePlace } from '../../domain/user-id-places.ts';
import { forgetInObjects, objectsThatMention } from '../../lambda/run/forget-in-objects.ts';
import { Lake } from '../../lambda/run/lake.ts';
import { ContentTags } from '../../local/adapters/content-tags.ts';
import { DuckDbEngine } from '../../local/adapters/duckdb-engine.ts';
import { FolderStore } from '../../local/adapters/folder-store.ts';
import { openExistingLake } from '../../local/run/lake-folder.ts';
import { ProgressLine } from '../terminal/pace.ts';
import { DEFAULT_LAKE, UsageError } from './arguments.ts';
import { withRemedy } from './deployed/errors.ts';
import { namesPipeline, type PipelineOptions, withOptionalPipeline } from './deployed/options.ts';

const BUCKET_URI = /^s3:\/\/[^/]+/;

const tablesForgotten = (how: TablePlace['forgotten']): readonly Table[] =>
  TABLE_PLACES.filter(({ forgotten }) => forgotten === how).map(({ table }) => table);
/** The tables that runs do not rewrite: the rows of a user stay until they are deleted. */
const LASTING = tablesForgotten('deleted');
/** The tables from which the next run removes the rows of a user. */
const REWRITTEN = tablesForgotten('rewritten');
const UNKNOWN_DATABASE = '<database>';

interface ForgetOptions extends Partial<PipelineOptions> {
  readonly lake: string;
  readonly json: boolean;
  readonly check: boolean;
}

export function forgetCommand(): Command {
  const command = new Command('forget')
    .description(
      'Forget users: the lake keeps salted hashes of their ids and drops any further rows of theirs. ' +
        'Takes them out of lists, results and reports, and prints how to delete the rows that its tables hold.',
    )
    .argument('<users...>', 'ids of the users')
    .option(
      '--lake <folder>',
      "folder of the lake, or a deployed pipeline's LakeUri (s3://...)",
      DEFAULT_LAKE,
    )
    .option('--check', 'change nothing: say where the lake still holds the ids', false)
    .option('--json', 'print one JSON document', false);
  return withOptionalPipeline(command).action(async (users: readonly string[], options: ForgetOptions) => {
    if (users.some((user) => user.trim() === '')) throw new UsageError('A user id is empty.');
    try {
      const opened = await openLake(options);
      if (options.check) {
        await check(opened, users, options);
        return;
      }
      await addToList(opened, users);
      const objects = (
        await new ProgressLine(process.stderr).during('Taking them out', () => forgetInObjects(opened, users))
      ).map(({ uri }) => uri);
      const whatToDo = isDeployed(opened)
        ? deletions(users, await databaseOf(opened))
        : startOver(options.lake);
      console.log(
        options.json
          ? JSON.stringify(
              { added: users.length, list: opened.uri(FORGOTTEN_USERS), objects, whatToDo },
              undefined,
              2,
            )
          : `Added ${users.length} to the list: from the next run on, their rows are dropped.\n${objectsText(objects)}${whatToDo}`,
      );
    } catch (error) {
      throw withRemedy(error);
    }
  });
}

function objectsText(objects: readonly string[]): string {
  if (objects.length === 0) return '';
  return ['Taken out of these objects, or removed with them:', ...objects.map((uri) => `  ${uri}`), ''].join(
    '\n',
  );
}

/** Says where the users still are; the command then ends with 1. */
async function check(lake: Lake, users: readonly string[], options: ForgetOptions): Promise<void> {
  const objects = (await objectsThatMention(lake, users)).map(({ uri }) => uri);
  const statement = countStatement(users);
  const tables = isDeployed(lake) ? undefined : await tablesThatMention(options.lake, statement);
  const isFound = objects.length > 0 || (tables ?? []).length > 0;
  const lines = [
    ...objects.map((uri) => `  ${uri}`),
    ...(tables ?? []).map(({ table, rows }) => `  table ${table}: ${rows} rows`),
  ];
  const text = isFound
    ? `The lake still holds the ids:\n${lines.join('\n')}`
    : `The ids are in none of the places that the lake has for them${tables === undefined ? ', tables apart' : ''}.`;
  const more = tables === undefined ? `\nOf its tables ask Athena:\n${statement}` : '';
  console.log(
    options.json
      ? JSON.stringify({ objects, tables: tables ?? null, statement }, undefined, 2)
      : `${text}${more}`,
  );
  if (isFound) process.exitCode = 1;
}

async function tablesThatMention(
  lake: string,
  statement: string,
): Promise<readonly { readonly table: string; readonly rows: number }[]> {
  const folder = await openExistingLake(lake);
  const sql = new DuckDbEngine({ folder: folder.path, queriesFolder: folder.queries });
  const rows = await sql.ask(statement);
  return rows
    .map((row) => ({ table: row.table_name ?? '', rows: Number(row.row_count) }))
    .filter((entry) => entry.rows > 0);
}

/** Counts the rows that mention the users, in every table that may; in the SQL that Athena and DuckDB share. */
export function countStatement(users: readonly string[]): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
  const isMentioned = ({ column }: TablePlace): string =>
    column === 'user_id'
      ? `user_id IN (${users.map(quoted).join(', ')})`
      : users.map((user) => `strpos(${column}, ${quoted(JSON.stringify(user))}) > 0`).join(' OR ');
  return TABLE_PLACES.map(
    (place) =>
      `SELECT ${quoted(place.table.name)} AS table_name, count(*) AS row_count FROM ${place.table.name} WHERE ${isMentioned(place)}`,
  ).join('\nUNION ALL\n');
}

const isDeployed = ({ root }: Lake): boolean => root.startsWith('s3:');

async function openLake(options: ForgetOptions): Promise<Lake> {
  if (namesPipeline(options)) {
    const { openDeployedWorld } = await import('./deployed/world.ts');
    return (await openDeployedWorld(options)).lake;
  }
  const { lake, region } = options;
  if (lake.startsWith('s3:')) {
    if (!BUCKET_URI.test(lake))
      throw new UsageError(`${lake} is not an address in S3: it must be s3://bucket.`);
    const { openDeployedLake } = await import('./deployed/lake.ts');
    return openDeployedLake(lake.replace(/\/+$/, ''), region);
  }
  const folder = await openExistingLake(lake);
  return new Lake(new FolderStore(new ContentTags(folder.contentTags)), folder.root);
}

/** @throws UsageError if the list was changed by another process at the same time */
export async function addToList(lake: Lake, users: readonly string[]): Promise<void> {
  const known = await lake.find(FORGOTTEN_USERS);
  const outcome = await lake.replace(FORGOTTEN_USERS, known, forget(known?.value, users));
  if (outcome === 'conflict') {
    throw new UsageError(
      `${lake.uri(FORGOTTEN_USERS)} was changed by another process in the meantime: run the command again.`,
    );
  }
}

/** Database of the lake's tables, as the plan of the current run names it; undefined if no run has succeeded. */
export async function databaseOf(lake: Lake): Promise<string | undefined> {
  const current = await lake.find(CURRENT);
  if (current === undefined) return undefined;
  return (await lake.find(PLAN.of(current.value.runId)))?.value.database;
}

/**
 * Statements for Athena. DELETE only records which rows are deleted, in delete files. OPTIMIZE removes these rows from the
 * data files that have at least as many delete files as the property says, and VACUUM removes the old data files.
 */
export function deletions(users: readonly string[], database: string | undefined): string {
  const ids = users.map((user) => `'${user.replaceAll("'", "''")}'`).join(', ');
  const nameIn = (table: Pick<Table, 'name'>): string => `${database ?? UNKNOWN_DATABASE}.${table.name}`;
  return [
    'Delete their rows from the tables in Athena, one statement after another, while no run is in progress:',
    ...(database === undefined
      ? [`(${UNKNOWN_DATABASE} is the output DatabaseName of the storage stack; no run has succeeded yet)`]
      : []),
    ...LASTING.map(nameIn).flatMap((name) => [
      `  ALTER TABLE ${name} SET TBLPROPERTIES ('optimize_rewrite_delete_file_threshold' = '1');`,
      `  DELETE FROM ${name} WHERE user_id IN (${ids});`,
      `  OPTIMIZE ${name} REWRITE DATA USING BIN_PACK;`,
    ]),
    `The next run (with --force if there are no new files) rewrites ${REWRITTEN.map(({ name }) => name).join(', ')} without them. After it:`,
    ...[...LASTING, ...REWRITTEN].map((table) => `  VACUUM ${nameIn(table)};`),
    'docs/operations.md, "Forget a user", says how old files must be for VACUUM to remove them, and where else ids are stored.',
  ].join('\n');
}

function startOver(lake: string): string {
  return `The tables in ${lake} still hold their rows: delete everything in the folder except ${FORGOTTEN_USERS.key}, and run on the log again.`;
}
