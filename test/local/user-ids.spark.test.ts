/** A whole run, and where it leaves the id of a user: a marker is looked for in all of the lake. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateLog } from '../../generator/generate.ts';
import { projectRoot } from '../../setup/environment.mjs';
import { markUser, sightingsOf } from '../support/marked-user.ts';
import { queryLake, temporaryFolder } from '../support/spark-lake.ts';

/** Id of a user, which is nothing else; registered after the end of the log. */
const MARKER = 'marker-5f1c0e';

const churn = (...args: readonly string[]) =>
  execa(process.execPath, [join(projectRoot, 'bin/churn.ts'), ...args], { reject: false });

describe('a lake after a run', () => {
  let folder: string;
  let lake: string;

  beforeAll(async () => {
    folder = await temporaryFolder();
    lake = join(folder, 'lake');
    const log = join(folder, 'log');
    await generateLog({ users: 160, days: 45, seed: 7, outputFolder: log });
    await markUser(log, MARKER);
    const { exitCode, stderr } = await churn('run', '--events', log, '--lake', lake, '--json');
    expect(exitCode, stderr).toBe(0);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('holds ids of users where the list of their places says, and nowhere else', async () => {
    const { tables, unknownTables, unknownFiles } = await sightingsOf(lake, MARKER);
    expect(tables).toEqual(
      expect.arrayContaining(['events', 'user_days', 'features', 'scoring_features', 'scores']),
    );
    expect({ unknownTables, unknownFiles }).toEqual({ unknownTables: [], unknownFiles: [] });
    // What proves that a user is forgotten finds this one.
    const { exitCode, stdout } = await churn('forget', MARKER, '--lake', lake, '--check', '--json');
    expect(exitCode).toBe(1);
    const counted: readonly { readonly table: string }[] = JSON.parse(stdout).tables;
    expect(counted.map(({ table }) => table).sort()).toEqual([...tables].sort());
    const never = await churn('forget', 'never-seen-1c2d', '--lake', lake, '--check');
    expect(never).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('in none of the places') });
  });

  it('has no number that is none, for a user either who registers after the end of the log', async () => {
    const [row] = await queryLake(
      lake,
      `SELECT count(*) AS n, count_if(isnan(probability) OR isnan(raw_score)) AS bad FROM scores`,
    );
    expect(Number(row?.n)).toBeGreaterThan(100);
    expect(Number(row?.bad)).toBe(0);
    const [marked] = await queryLake(
      lake,
      `SELECT max(tenure_days) AS tenure, min(events_per_day) AS events FROM scoring_features WHERE user_id = '${MARKER}'`,
    );
    expect(marked?.tenure).toBe(0);
    expect(Number(marked?.events)).toBeGreaterThan(0);
  });
});
