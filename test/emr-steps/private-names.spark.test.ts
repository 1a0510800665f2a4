/** No name of a person leaves the raw log, wherever in a line it is: marker names are looked for in all that a run writes. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RAW_COLUMNS } from '../../domain/events.ts';
import { INGEST_FILES, TABLES } from '../../domain/lake.ts';
import type { RunPlan } from '../../domain/run.ts';
import { ingestEvents } from '../../emr-steps/ingest-events.ts';
import {
  errorOf,
  eventFiles,
  queryLake,
  resultOf,
  SparkBench,
  temporaryFolder,
  writePlan,
} from '../support/spark-lake.ts';

const MARKER = /Zyxfirst|Qwvlast/;
const NAMES = { firstName: 'Zyxfirst', lastName: 'Qwvlast' };
const BASE = {
  ts: Date.parse('2018-10-05T10:00:00Z'),
  userId: 'u1',
  sessionId: 1,
  itemInSession: 0,
  page: 'Home',
  auth: 'Logged In',
  method: 'GET',
  status: 200,
  level: 'free',
  registration: 1_534_044_826_000,
  gender: 'F',
  length: 200.5,
  userAgent: 'Mozilla',
};
/** Makes a row refused, whatever else is in it. */
const REFUSED = { auth: 'Nobody' };

const line = (fields: object): string => JSON.stringify({ ...BASE, ...NAMES, ...fields });
const cut = (text: string): string => text.slice(0, -1);

/** Lines whose names are where they should not be. */
function hostileLines(): string[] {
  const renamed = (rename: (name: string) => string): string =>
    JSON.stringify(
      Object.fromEntries(Object.entries({ ...BASE, ...NAMES }).map(([name, value]) => [rename(name), value])),
    );
  const nested = { user: NAMES };
  const others = RAW_COLUMNS.map(({ name }) => name).filter(
    // Columns of free text whose rows are accepted hold what they hold.
    (name) => !['artist', 'song', 'location', 'userAgent', 'firstName', 'lastName'].includes(name),
  );
  return [
    // Other spellings.
    renamed((name) => name.toUpperCase()),
    renamed((name) => `_${name}`),
    renamed((name) => `x${name}`),
    line({ FIRSTNAME: NAMES.firstName, 'first name': NAMES.firstName, ...REFUSED }),
    // Shifted values: in every column, alone and in a row that is refused for another reason.
    ...others.map((name) => line({ [name]: name === 'userId' ? { of: NAMES.firstName } : NAMES.firstName })),
    ...RAW_COLUMNS.map(({ name }) => line({ ...REFUSED, [name]: NAMES.firstName })),
    ...RAW_COLUMNS.map(({ name }) => line({ ...REFUSED, [name]: `${NAMES.firstName} 1` })),
    // Nested, and arrays: Spark would make text of them.
    ...RAW_COLUMNS.filter(({ treatment }) => treatment !== 'dropped as personal').flatMap(({ name }) => [
      line({ [name]: nested }),
      line({ [name]: [NAMES.firstName] }),
      line({ [name]: [nested], ...REFUSED }),
    ]),
    // Unknown columns: as names and as values.
    line({ ...REFUSED, [NAMES.firstName]: 1, [`${NAMES.lastName} of ours`]: NAMES.lastName }),
    line({ ...REFUSED, who: NAMES.firstName, whom: nested, all: [NAMES.lastName, [nested]] }),
    // Broken JSON, in all ways.
    cut(line({})),
    line({}).slice(0, line({}).indexOf('Qwv') + 4),
    line({}).replaceAll('"', "'"),
    line({}).replaceAll('"', ''),
    `${NAMES.firstName} ${line({})}`,
    `${line({})} ${NAMES.firstName}`,
    `${line({})}${line({})}`,
    `[${line({})}]`,
    JSON.stringify(line({})),
    line({}).replace(`"${NAMES.firstName}"`, NAMES.firstName),
    line({}).replace(`"${NAMES.firstName}"`, `"${NAMES.firstName}\\x"`),
    line({}).replace(`"${NAMES.firstName}"`, `"${NAMES.firstName}\u0001"`),
    line({}).replace('200.5', NAMES.firstName),
    line({}).replace('200.5', '1e99999999999'),
    `${'['.repeat(2_000)}"${NAMES.firstName}"`,
    `${'{"a":'.repeat(2_000)}"${NAMES.firstName}"${'}'.repeat(2_000)}`,
    NAMES.firstName,
    `"${NAMES.firstName}"`,
    `1${'0'.repeat(5_000)}${NAMES.firstName}`,
  ];
}

describe('names of people', () => {
  let folder: string;
  const plans: RunPlan[] = [];
  const lake = (name: string): string => join(folder, 'lakes', name);

  beforeAll(async () => {
    folder = await temporaryFolder();
    const log = join(folder, 'log');
    await mkdir(log);
    const lines = hostileLines();
    await writeFile(join(log, 'lines.json'), `${lines.join('\n')}\n`);
    await writeFile(
      join(log, 'bytes.json'),
      Buffer.concat([
        Buffer.from(cut(line({}))),
        Buffer.from([0xff, 0xc3]),
        Buffer.from(`"${NAMES.lastName}"}\n`),
      ]),
    );
    // One user's name in more rows than a word needs to be shown, and a word that many users have.
    const shifted = Array.from({ length: 30 }, (_, item) =>
      line({ itemInSession: item, sessionId: item, page: NAMES.firstName }),
    );
    const common = Array.from({ length: 30 }, (_, item) =>
      line({ itemInSession: item, userId: `${item % 5}`, page: 'Podcasts', pages: 'Home', level: 'gold' }),
    );
    await writeFile(join(log, 'words.json'), [...shifted, ...common].join('\n'));
    const files = await eventFiles(log);
    plans.push(
      await writePlan(lake('allowed'), { runId: 'allowed', files, ingest: { maxQuarantineShare: 1 } }),
    );
    plans.push(
      await writePlan(lake('limited'), { runId: 'limited', files, ingest: { maxQuarantineShare: 0 } }),
    );
    await new SparkBench(folder, ingestEvents).runAll(plans);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('are in no table, result, error, file or log', async () => {
    for (const { name } of TABLES.filter(({ writtenBy }) => writtenBy === INGEST_FILES.writtenBy)) {
      const rows = await queryLake(lake('allowed'), `SELECT * FROM ${name}`);
      expect(JSON.stringify(rows), name).not.toMatch(MARKER);
    }
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || path.startsWith(join(folder, 'log'))) continue;
      expect(MARKER.test(await readFile(path, 'latin1')), path).toBe(false);
    }
  });

  it('leave every row counted', async () => {
    const { counts } = await resultOf(ingestEvents, plans[0] as RunPlan);
    expect(counts.read).toBe(hostileLines().length + 1 + 60);
    expect(counts.accepted + counts.quarantined + counts.duplicates).toBe(counts.read);
  });

  it('leave each file its refused rows by reason, with one of them of each reason', async () => {
    const { refusedFiles = [], refused } = await resultOf(ingestEvents, plans[0] as RunPlan);
    const held = await queryLake(
      lake('allowed'),
      'SELECT source_file, reason, count(*) AS "rows" FROM quarantined_events GROUP BY ALL ORDER BY ALL',
    );
    expect(new Set(held.map(({ source_file: file }) => file)).size).toBe(3);
    const found = refusedFiles.flatMap(({ file, reasons }) =>
      Object.entries(reasons).map(([reason, rows]) => ({ source_file: file, reason, rows: `${rows}` })),
    );
    const byName = (a: object, b: object): number => JSON.stringify(a).localeCompare(JSON.stringify(b));
    expect(found.toSorted(byName)).toEqual(
      held.map((row) => ({ ...row, rows: String(row.rows) })).toSorted(byName),
    );
    const totals = refusedFiles.map(({ rows }) => rows);
    expect(totals).toEqual(totals.toSorted((a, b) => b - a));
    for (const { rows, reasons, examples } of refusedFiles) {
      expect(Object.values(reasons).reduce((sum, of) => sum + of, 0)).toBe(rows);
      expect(examples.map(({ reason }) => reason).sort()).toEqual(Object.keys(reasons).sort());
    }
    expect(Object.keys(refused).length).toBeGreaterThan(3);
  });

  it('are not hidden behind: words that many users have are named, with rows, files and what to change', async () => {
    const { findings } = await resultOf(ingestEvents, plans[0] as RunPlan);
    expect(findings).toContainEqual({
      reason: 'unknown_page',
      column: 'page',
      found: 'unknown_word',
      word: 'Podcasts',
      rows: 30,
      files: 1,
    });
    const { message } = await errorOf(ingestEvents, plans[1] as RunPlan);
    for (const told of [
      /page is a word that is not known: .*Podcasts \(30 rows in 1 file\)/,
      /level is .*gold/,
      /page is spelt nearly/,
    ])
      expect(message).toMatch(told);
  });
});
