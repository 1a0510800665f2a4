/** Which snapshots of a table a lake on this machine still has. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { icebergTableFolder, type Table } from '../../domain/lake.ts';
import { newestMetadata } from './lake-views.ts';

const metadataSchema = z.looseObject({
  snapshots: z.array(z.looseObject({ 'snapshot-id': z.string() })).default([]),
});
/** The numbers are larger than those that JavaScript holds exactly. */
const SNAPSHOT_NUMBER = /("snapshot-id"\s*:\s*)(\d+)/g;

/** The numbers of the snapshots, as text; none where there is no table. */
export async function snapshotsOf(
  lakeFolder: string,
  database: string,
  table: Pick<Table, 'name'>,
): Promise<ReadonlySet<string>> {
  const file = newestMetadata(join(lakeFolder, icebergTableFolder(database, table), 'metadata'));
  if (file === undefined) return new Set();
  const text = (await readFile(file, 'utf8')).replaceAll(SNAPSHOT_NUMBER, '$1"$2"');
  const { snapshots } = metadataSchema.parse(JSON.parse(text));
  return new Set(snapshots.map((snapshot) => snapshot['snapshot-id']));
}
