/** `churn forget`: adds users to the list of users whose rows ingest drops, in a local or a deployed lake. */
import { Command } from 'commander';
import { FEATURE_TABLES } from '../../domain/features/features-table.ts';
import { forget } from '../../domain/forgotten-users.ts';
import { EVENTS, REPEATED_EVENTS, SCORES, type Table, USER_DAYS } from '../../domain/lake.ts';
import { CURRENT, FORGOTTEN_USERS, PLAN } from '../../domain/lake-objects.ts';
import { Lake } from '../../lambda/run/lake.ts';
import { ContentTags } from '../../local/adapters/content-tags.ts';
import { FolderStore } from '../../local/adapters/folder-store.ts';
import { openExistingLake } from '../../local/run/lake-folder.ts';
import { DEFAULT_LAKE, UsageError } from './arguments.ts';
import { withRemedy } from './deployed/errors.ts';

const BUCKET_URI = /^s3:\/\/[^/]+/;

/** The tables that runs do not rewrite: the rows of a user stay until they are deleted. */
const LASTING = [EVENTS, REPEATED_EVENTS, SCORES];
/** The tables from which the next run removes the rows of a user. */
const REWRITTEN = [USER_DAYS, ...FEATURE_TABLES];
const UNKNOWN_DATABASE = '<database>';

interface ForgetOptions {
  readonly lake: string;
  readonly region?: string;
  readonly json: boolean;
}

export function forgetCommand(): Command {
  return new Command('forget')
    .description(
      'Forget users: the lake keeps salted hashes of their ids and drops any further rows of theirs. ' +
        'Prints how to delete the rows that its tables already hold.',
    )
    .argument('<users...>', 'ids of the users')
    .option(
      '--lake <folder>',
      "folder of the lake, or a deployed pipeline's LakeUri (s3://...)",
      DEFAULT_LAKE,
    )
    .option('--region <region>', "Region of a deployed pipeline's lake (default: the SDK's own)")
    .option('--json', 'print one JSON document', false)
    .action(async (users: readonly string[], options: ForgetOptions) => {
      const { lake } = options;
      if (users.some((user) => user.trim() === '')) throw new UsageError('A user id is empty.');
      try {
        const opened = await openLake(options);
        await addToList(opened, users);
        const whatToDo = isDeployed(lake) ? deletions(users, await databaseOf(opened)) : startOver(lake);
        console.log(
          options.json
            ? JSON.stringify(
                { added: users.length, list: opened.uri(FORGOTTEN_USERS), whatToDo },
                undefined,
                2,
              )
            : `Added ${users.length} to the list: from the next run on, their rows are dropped.\n${whatToDo}`,
        );
      } catch (error) {
        throw withRemedy(error);
      }
    });
}

const isDeployed = (lake: string): boolean => lake.startsWith('s3:');

async function openLake({ lake, region }: ForgetOptions): Promise<Lake> {
  if (isDeployed(lake)) {
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
