/** `churn forget`: puts users on the list of those whose rows ingest drops, in a lake here or in the cloud. */
import { S3Client } from '@aws-sdk/client-s3';
import { Command } from 'commander';
import { S3Objects } from '../../lambda/aws/s3-objects.ts';
import { findJson, jsonText, lakeUri } from '../../lambda/json-objects.ts';
import type { ObjectStore } from '../../lambda/ports.ts';
import { FEATURES_TABLE } from '../../lib/domain/features/table.ts';
import { forget, forgottenUsersSchema } from '../../lib/domain/forgotten-users.ts';
import { KEYS, TABLES } from '../../lib/domain/lake.ts';
import { openExistingLake } from '../../local/lake-folder.ts';
import { ContentTags } from '../../local/ports/content-tags.ts';
import { FolderStore } from '../../local/ports/folder-store.ts';
import { DEFAULT_LAKE, UsageError } from './arguments.ts';

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
    .action(async (users: readonly string[], { lake }: { readonly lake: string }) => {
      if (users.some((user) => user.trim() === '')) throw new UsageError('A user id is empty.');
      const { objects, root } = await openObjects(lake);
      await addToList(objects, root, users);
      console.log(`${users.length} on the list: their rows are dropped from the next run on.`);
      console.log(lake.startsWith('s3://') ? deletions(users) : startOver(lake));
    });
}

async function openObjects(lake: string): Promise<{ readonly objects: ObjectStore; readonly root: string }> {
  if (lake.startsWith('s3://')) {
    return { objects: new S3Objects(new S3Client({})), root: lake.replace(/\/+$/, '') };
  }
  const folder = await openExistingLake(lake);
  return { objects: new FolderStore(new ContentTags(folder.contentTags)), root: folder.root };
}

/** @throws UsageError when somebody else changed the list in the same moment */
export async function addToList(
  objects: ObjectStore,
  lakeRoot: string,
  users: readonly string[],
): Promise<void> {
  const uri = lakeUri(lakeRoot, KEYS.forgottenUsers);
  const known = await findJson(objects, uri, forgottenUsersSchema);
  const condition =
    known === undefined ? ({ kind: 'absent' } as const) : ({ kind: 'unchanged', etag: known.etag } as const);
  const text = jsonText(forget(known?.value, users));
  if ((await objects.write(uri, text, { condition })) === 'conflict') {
    throw new UsageError(`${uri} was changed by somebody else meanwhile: run the command again.`);
  }
}

/** Statements for Athena: every Iceberg table that has users. */
function deletions(users: readonly string[]): string {
  const ids = users.map((user) => `'${user.replaceAll("'", "''")}'`).join(', ');
  const tables = [...TABLES, FEATURES_TABLE].filter(
    ({ format, columns }) => format === 'iceberg' && columns.some(({ name }) => name === 'user_id'),
  );
  return [
    'Delete what the tables hold, in Athena; docs/operations.md says what else there is to do:',
    ...tables.map(({ name }) => `  DELETE FROM ${name} WHERE user_id IN (${ids});`),
  ].join('\n');
}

function startOver(lake: string): string {
  return `The tables in ${lake} still hold them: delete the folder but for ${KEYS.forgottenUsers}, and run on the log again.`;
}
