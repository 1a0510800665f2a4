/** Buckets and tables of an emulated account, kept in a folder: what follows a run can be tried without another run. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { z } from 'zod';
import { s3Client } from './account.ts';
import { type AwsEnvironment, callJson } from './aws-request.ts';

/** What CreateTable takes of what GetTables answers. */
const TABLE_FIELDS: readonly string[] = [
  ...['Name', 'Description', 'PartitionKeys', 'StorageDescriptor', 'TableType', 'Parameters'],
];
const tablesSchema = z.object({ TableList: z.array(z.record(z.string(), z.json())) });
const keptSchema = z.object({
  tables: z.array(z.record(z.string(), z.json())),
  /** In the order of their files, which are numbered. */
  objects: z.array(z.object({ Bucket: z.string(), Key: z.string() })),
});
const KEPT_FILE = 'kept.json';

/** Writes every object, and the tables of a database. @param folder a new one */
export async function keepAccount(account: AwsEnvironment, database: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const s3 = s3Client(account);
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  const objects: z.infer<typeof keptSchema>['objects'] = [];
  for (const { Name: Bucket = '' } of Buckets) {
    for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket })) {
      for (const { Key = '' } of Contents) {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
        await writeFile(join(folder, String(objects.length)), (await Body?.transformToByteArray()) ?? '');
        objects.push({ Bucket, Key });
      }
    }
  }
  const tables = await tablesOf(account, database);
  await writeFile(join(folder, KEPT_FILE), JSON.stringify({ tables, objects }));
}

/** Puts back what was kept of the same app: in each rehearsal buckets and databases have the same names. */
export async function restoreAccount(
  account: AwsEnvironment,
  database: string,
  folder: string,
): Promise<void> {
  const { tables, objects } = keptSchema.parse(JSON.parse(await readFile(join(folder, KEPT_FILE), 'utf8')));
  const s3 = s3Client(account);
  for (const Bucket of new Set(objects.map((each) => each.Bucket))) {
    // Most of them are the app's, and exist.
    await s3.send(new CreateBucketCommand({ Bucket })).catch(() => undefined);
  }
  for (const [index, { Bucket, Key }] of objects.entries()) {
    const Body = await readFile(join(folder, String(index)));
    await s3.send(new PutObjectCommand({ Bucket, Key, Body }));
  }
  for (const { Name = null } of await tablesOf(account, database)) {
    await callJson(account, 'glue', 'DeleteTable', { DatabaseName: database, Name });
  }
  for (const table of tables) {
    const TableInput = Object.fromEntries(
      Object.entries(table).filter(([name]) => TABLE_FIELDS.includes(name)),
    );
    await callJson(account, 'glue', 'CreateTable', { DatabaseName: database, TableInput });
  }
}

async function tablesOf(account: AwsEnvironment, database: string) {
  const answer = await callJson(account, 'glue', 'GetTables', { DatabaseName: database });
  return tablesSchema.parse(answer).TableList;
}
