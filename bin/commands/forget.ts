/** `churn forget`: puts users on the list of those whose rows ingest drops, in a lake here or in the cloud. */
import { Command } from 'commander';
import { FEATURES_TABLE } from '../../domain/features/features-table.ts';
import { forget } from '../../domain/forgotten-users.ts';
import { EVENTS, SCORES, USER_DAYS } from '../../domain/lake.ts';
import { FORGOTTEN_USERS } from '../../domain/lake-objects.ts';
import { Lake } from '../../lambda/run/lake.ts';
import { ContentTags } from '../../local/adapters/content-tags.ts';
import { FolderStore } from '../../local/adapters/folder-store.ts';
import { openExistingLake } from '../../local/run/lake-folder.ts';
import { DEFAULT_LAKE, UsageError } from './arguments.ts';
import { withRemedy } from './deployed/errors.ts';

const BUCKET_URI = /^s3:\/\/[^/]+/;

/** The tables that no run writes anew: every row of a user stays until it is deleted. */
const LASTING = [EVENTS, SCORES];
/** Those whose rows of a user go with the next run. */
const REWRITTEN = [USER_DAYS, FEATURES_TABLE];

interface ForgetOptions {
  readonly lake: string;
  readonly region?: string;
}

export function forgetCommand(): Command {
  return new Command('forget')
    .description(
      'Forget users: the lake keeps salted hashes of their ids, and drops their rows when they come again. ' +
        'Says how to delete what its tables hold of them already.',
    )
    .argument('<users...>', 'ids of the users')
    .option(
      '--lake <folder>',
      "folder of the lake, or a deployed pipeline's LakeUri (s3://...)",
      DEFAULT_LAKE,
    )
    .option('--region <region>', "Region of a deployed pipeline's lake (default: the SDK's own)")
    .action(async (users: readonly string[], options: ForgetOptions) => {
      const { lake } = options;
      if (users.some((user) => user.trim() === '')) throw new UsageError('A user id is empty.');
      try {
        await addToList(await openLake(options), users);
      } catch (error) {
        throw withRemedy(error);
      }
      console.log(`${users.length} on the list: their rows are dropped from the next run on.`);
      console.log(isDeployed(lake) ? deletions(users) : startOver(lake));
    });
}

const isDeployed = (lake: string): boolean => lake.startsWith('s3:');

async function openLake({ lake, region }: ForgetOptions): Promise<Lake> {
  if (isDeployed(lake)) {
    if (!BUCKET_URI.test(lake)) throw new UsageError(`${lake} is not a URI in S3: it must read s3://bucket.`);
    const { openDeployedLake } = await import('./deployed/lake.ts');
    return openDeployedLake(lake.replace(/\/+$/, ''), region);
  }
  const folder = await openExistingLake(lake);
  return new Lake(new FolderStore(new ContentTags(folder.contentTags)), folder.root);
}

/** @throws UsageError when somebody else changed the list at the same moment */
export async function addToList(lake: Lake, users: readonly string[]): Promise<void> {
  const known = await lake.find(FORGOTTEN_USERS);
  const outcome = await lake.replace(FORGOTTEN_USERS, known, forget(known?.value, users));
  if (outcome === 'conflict') {
    throw new UsageError(
      `${lake.uri(FORGOTTEN_USERS)} was changed by somebody else meanwhile: run the command again.`,
    );
  }
}

/**
 * Statements for Athena. Its DELETE only writes down which rows are no more: OPTIMIZE takes them out of the data
 * files, of those with so many such notes as the property says, and VACUUM removes the files as they were.
 */
export function deletions(users: readonly string[]): string {
  const ids = users.map((user) => `'${user.replaceAll("'", "''")}'`).join(', ');
  return [
    'Delete what the tables hold of them, in Athena, one statement after the other, while no run goes on:',
    ...LASTING.flatMap(({ name }) => [
      `  ALTER TABLE ${name} SET TBLPROPERTIES ('optimize_rewrite_delete_file_threshold' = '1');`,
      `  DELETE FROM ${name} WHERE user_id IN (${ids});`,
      `  OPTIMIZE ${name} REWRITE DATA USING BIN_PACK;`,
    ]),
    `The next run (forced, when there are no new files) writes ${REWRITTEN.map(({ name }) => name).join(' and ')} without them. After it:`,
    ...[...LASTING, ...REWRITTEN].map(({ name }) => `  VACUUM ${name};`),
    'docs/operations.md, "Forget a user", says how old the files must be that VACUUM removes, and where else ids lie.',
  ].join('\n');
}

function startOver(lake: string): string {
  return `The tables in ${lake} still hold them: delete the folder but for ${FORGOTTEN_USERS.key}, and run on the log again.`;
}
