import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requireLake } from '../../bin/commands/deployed/lake.ts';
import { addToList, databaseOf, deletions } from '../../bin/commands/forget.ts';
import { FEATURE_TABLES } from '../../domain/features/features-table.ts';
import { forgottenUsersSchema } from '../../domain/forgotten-users.ts';
import { TABLES } from '../../domain/lake.ts';
import { CURRENT, FORGOTTEN_USERS, LEASE } from '../../domain/lake-objects.ts';
import { Lake } from '../../lambda/run/lake.ts';
import { ContentTags } from '../../local/adapters/content-tags.ts';
import { FolderStore } from '../../local/adapters/folder-store.ts';
import { type LakeFolder, openLake } from '../../local/run/lake-folder.ts';
import { MemoryPorts } from '../support/memory-ports.ts';
import { at, DEPLOYMENT, EVENTS, LAKE, plan } from '../support/run-fixture.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'forget-'));
});
afterEach(() => rm(folder, { recursive: true }));

const lakeIn = ({ contentTags, root }: LakeFolder): Lake =>
  new Lake(new FolderStore(new ContentTags(contentTags)), root);

describe('the list of forgotten users', () => {
  it('grows, and does not contain ids in plain text', async () => {
    const lake = await openLake(folder);
    await addToList(lakeIn(lake), ['4711']);
    await addToList(lakeIn(lake), ['4712', '4711']);
    const text = await readFile(join(folder, FORGOTTEN_USERS.key), 'utf8');
    expect(forgottenUsersSchema.parse(JSON.parse(text)).hashes).toHaveLength(2);
    expect(text).not.toMatch(/"471[12]"/);
  });

  it('is not overwritten when another process changes it at the same time', async () => {
    const ports = new MemoryPorts();
    const lake = new Lake(ports.objects, LAKE);
    await addToList(lake, ['1']);
    ports.before = async (call) => {
      if (call !== 'objects.write') return;
      ports.before = undefined;
      await addToList(lake, ['2']);
    };
    await expect(addToList(lake, ['3'])).rejects.toThrow(/changed by another process/);
    const text = ports.objects.text(at(FORGOTTEN_USERS.key)) ?? 'null';
    expect(forgottenUsersSchema.parse(JSON.parse(text)).hashes).toHaveLength(2);
  });

  it('is kept when a lake is created again in its folder', async () => {
    const first = await openLake(folder);
    await addToList(lakeIn(first), ['1']);
    await rm(join(folder, 'local'), { recursive: true });
    await expect(openLake(folder)).resolves.toMatchObject({ path: first.path });
  });
});

describe('an S3 address given to `churn forget`', () => {
  it.each([CURRENT.key, LEASE.key])('is accepted as a lake if it has %s', async (marker) => {
    const { objects } = new MemoryPorts();
    objects.put(at(marker), '{}');
    await expect(requireLake(new Lake(objects, LAKE))).resolves.toBeUndefined();
    await expect(requireLake(new Lake(objects, `${LAKE}/elsewhere`))).rejects.toThrow(
      /There is no lake at s3:\/\/lake\/elsewhere .*LakeUri/,
    );
  });
});

describe('the statements printed for a deployed lake', () => {
  const lines = deletions(['17', "o'x"], 'churn_dev_0a1b2c3d').split('\n');

  it.each(['events', 'scores'])('remove the rows from the files of %s', (name) => {
    expect(lines.filter((line) => line.startsWith('  ') && line.includes(`.${name}`))).toEqual([
      `  ALTER TABLE churn_dev_0a1b2c3d.${name} SET TBLPROPERTIES ('optimize_rewrite_delete_file_threshold' = '1');`,
      `  DELETE FROM churn_dev_0a1b2c3d.${name} WHERE user_id IN ('17', 'o''x');`,
      `  OPTIMIZE churn_dev_0a1b2c3d.${name} REWRITE DATA USING BIN_PACK;`,
      `  VACUUM churn_dev_0a1b2c3d.${name};`,
    ]);
  });

  it('cover every table with user ids, and remove old files after the run that rewrites three of them', () => {
    const withUsers = [...TABLES, ...FEATURE_TABLES].filter(
      ({ format, columns }) => format === 'iceberg' && columns.some(({ name }) => name === 'user_id'),
    );
    const run = lines.findIndex((line) => line.startsWith('The next run'));
    const vacuums = lines.slice(run).filter((line) => line.startsWith('  '));
    expect(vacuums.toSorted()).toEqual(
      withUsers.map(({ name }) => `  VACUUM churn_dev_0a1b2c3d.${name};`).toSorted(),
    );
    expect(lines.slice(0, run).join()).not.toContain('VACUUM');
  });

  it('name the database of the plan of the current run', async () => {
    const ports = new MemoryPorts();
    const lake = new Lake(ports.objects, LAKE);
    expect(await databaseOf(lake)).toBeUndefined();
    ports.objects.put(
      at(CURRENT.key),
      JSON.stringify({ runId: 'first', batchId: '0123456789abcdef', champion: null }),
    );
    ports.objects.put(`${EVENTS}/2018-10-01.json`, '{}');
    await plan(ports, 'first');
    expect(await databaseOf(lake)).toBe(DEPLOYMENT.database);
  });

  it('say where the name of the database is found while no run has succeeded', () => {
    const text = deletions(['17'], undefined);
    expect(text).toContain('<database> is the output DatabaseName of the storage stack');
    expect(text).toContain('DELETE FROM <database>.events');
  });
});
