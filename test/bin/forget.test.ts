import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requireLake } from '../../bin/commands/deployed/lake.ts';
import { addToList, countStatement, databaseOf, deletions } from '../../bin/commands/forget.ts';
import { csvCell } from '../../domain/csv.ts';
import { FEATURE_TABLES } from '../../domain/features/features-table.ts';
import { forgottenUsersSchema } from '../../domain/forgotten-users.ts';
import { TABLES } from '../../domain/lake.ts';
import {
  CAMPAIGN,
  CURRENT,
  FORGOTTEN_USERS,
  LEASE,
  PLAN,
  REPORT,
  RUN_DETAIL,
  STEP_ERROR,
  STEP_RESULT,
} from '../../domain/lake-objects.ts';
import { TABLE_PLACES } from '../../domain/user-id-places.ts';
import { forgetInObjects, objectsThatMention } from '../../lambda/run/forget-in-objects.ts';
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

describe('the objects beside the tables', () => {
  const detail = { scoring: { top: [{ userId: '42', reasons: ['42 songs in 7 days'] }, { userId: '43' }] } };
  const held: Readonly<Record<string, string>> = {
    [CAMPAIGN.of('r').key]: "user_id,probability\r\n42,0.5\r\n'=42,0.42\r\n43,0.42,42 songs\r\n",
    [RUN_DETAIL.of('r').key]: JSON.stringify(detail),
    [STEP_RESULT['ingest-events'].of('r').key]: JSON.stringify({
      counts: { read: 42 },
      examples: [{ line: '{"userId":"42"}' }, { line: '{"userId":"43"}' }],
      refusedFiles: [{ rows: 3, reasons: { unknown_page: 3 }, examples: [{ line: '{"userId":"42"}' }] }],
    }),
    [STEP_ERROR['ingest-events'].of('r').key]: 'user 42: too long',
    [REPORT.of('r').key]: '<td>42</td><bdi class="id">43</bdi>',
    [REPORT.of('with').key]: '<td>1</td><bdi class="id">42</bdi>',
    [REPORT.of('script').key]: '{"id":"42"}',
    [REPORT.of('example').key]: '<pre>{&quot;kept&quot;:{&quot;userId&quot;:&quot;42&quot;}}</pre>',
    [PLAN.of('r').key]: '{"of no user":"42"}',
  };
  let ports: MemoryPorts;
  let lake: Lake;
  beforeEach(() => {
    ports = new MemoryPorts();
    lake = new Lake(ports.objects, LAKE);
    for (const [key, text] of Object.entries(held)) ports.objects.put(at(key), text);
  });

  it('lose the user, and nothing that only looks like the id', async () => {
    await forgetInObjects(lake, ['42']);
    expect(ports.objects.text(at(CAMPAIGN.of('r').key))).toBe(
      "user_id,probability\r\n'=42,0.42\r\n43,0.42,42 songs\r\n",
    );
    const read = (key: string): unknown => JSON.parse(ports.objects.text(at(key)) ?? 'null');
    expect(read(RUN_DETAIL.of('r').key)).toEqual({ scoring: { top: [{ userId: '43' }] } });
    expect(read(STEP_RESULT['ingest-events'].of('r').key)).toEqual({
      counts: { read: 42 },
      examples: [{ line: '{"userId":"43"}' }],
      refusedFiles: [{ rows: 3, reasons: { unknown_page: 3 }, examples: [] }],
    });
    const pages = ['with', 'script', 'example'].map((id) => REPORT.of(id));
    for (const kind of [STEP_ERROR['ingest-events'].of('r'), ...pages])
      expect(ports.objects.text(at(kind.key)), kind.key).toBeUndefined();
    for (const kind of [REPORT.of('r'), PLAN.of('r')])
      expect(ports.objects.text(at(kind.key))).toBe(held[kind.key]);
    expect(await objectsThatMention(lake, ['42'])).toEqual([]);
  });

  it('are named as long as they hold the user, whose id may be hostile', async () => {
    const hostile = '=<b>&"\'';
    ports.objects.put(at(CAMPAIGN.of('s').key), `${csvCell(hostile)},0.5\r\n`);
    ports.objects.put(at(REPORT.of('s').key), '<bdi class="id">=&lt;b&gt;&amp;&quot;&#39;</bdi>');
    const found = await objectsThatMention(lake, [hostile]);
    expect(found.map(({ uri }) => uri)).toEqual([at(CAMPAIGN.of('s').key), at(REPORT.of('s').key)]);
    await forgetInObjects(lake, [hostile]);
    expect(await objectsThatMention(lake, [hostile])).toEqual([]);
    expect((await objectsThatMention(lake, ['42'])).length).toBe(7);
  });

  it('that cannot be read are removed rather than kept', async () => {
    ports.objects.put(at(RUN_DETAIL.of('r').key), '{"userId": "42", cut');
    await forgetInObjects(lake, ['42']);
    expect(ports.objects.text(at(RUN_DETAIL.of('r').key))).toBeUndefined();
  });

  it('are not overwritten when another process changes them at the same time', async () => {
    ports.before = async (call) => {
      if (call !== 'objects.write') return;
      ports.before = undefined;
      ports.objects.put(at(CAMPAIGN.of('r').key), 'other');
    };
    await expect(forgetInObjects(lake, ['42'])).rejects.toThrow(/was changed by another process/);
    expect(ports.objects.text(at(CAMPAIGN.of('r').key))).toBe('other');
  });
});

describe('the places where ids of users may be', () => {
  it('are every column of a table that is the id of a user', () => {
    const withIds = [...TABLES, ...FEATURE_TABLES].filter(({ columns }) =>
      columns.some(({ name }) => name === 'user_id'),
    );
    const listed = TABLE_PLACES.filter(({ column }) => column === 'user_id').map(({ table }) => table.name);
    expect([...listed].sort()).toEqual(withIds.map(({ name }) => name).sort());
  });

  it('are counted by one query', () => {
    const statement = countStatement(['17', "o'x"]);
    expect(statement.split('\nUNION ALL\n')).toHaveLength(TABLE_PLACES.length);
    expect(statement).toContain(
      "SELECT 'scores' AS table_name, count(*) AS row_count FROM scores WHERE user_id IN ('17', 'o''x')",
    );
    expect(statement).toContain(`FROM quarantined_events WHERE strpos(line, '"17"') > 0 OR strpos(line`);
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
