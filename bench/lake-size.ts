/** How large a lake on this machine is: its bytes, files, and the snapshots of its tables. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { WAREHOUSE } from '../domain/lake.ts';
import { newestMetadata } from '../local/adapters/lake-views.ts';

export interface LakeSize {
  readonly bytes: number;
  readonly files: number;
  /** Of all tables, as their current metadata have them. */
  readonly snapshots: number;
}

/** Beside the metadata of every table. */
const HINT = 'version-hint.text';
const metadataSchema = z.looseObject({ snapshots: z.array(z.unknown()).optional() });

export async function lakeSize(lake: string): Promise<LakeSize> {
  const entries = await readdir(lake, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const sizes = await Promise.all(paths.map((path) => stat(path)));
  const tables = paths.filter((path) => path.startsWith(join(lake, WAREHOUSE)) && path.endsWith(HINT));
  const snapshots = await Promise.all(tables.map((hint) => snapshotsOf(dirname(hint))));
  return {
    bytes: sizes.reduce((sum, { size }) => sum + size, 0),
    files: paths.length,
    snapshots: snapshots.reduce((sum, each) => sum + each, 0),
  };
}

/** @param folder of a table's metadata */
async function snapshotsOf(folder: string): Promise<number> {
  const metadata = newestMetadata(folder);
  if (metadata === undefined) return 0;
  return metadataSchema.parse(JSON.parse(await readFile(metadata, 'utf8'))).snapshots?.length ?? 0;
}
