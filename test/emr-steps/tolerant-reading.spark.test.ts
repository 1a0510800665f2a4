/**
 * Files as people have them: what can only mean one thing becomes the events of the plain log, and a log of anything at all
 * is counted to the last row. FUZZ=full takes 10,000 lines and 500 files instead of a few hundred.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RAW_COLUMNS } from '../../domain/events.ts';
import { EVENTS } from '../../domain/lake.ts';
import type { RunPlan } from '../../domain/run.ts';
import { ingestEvents } from '../../emr-steps/ingest-events.ts';
import { seeded } from '../support/seeded.ts';
import {
  errorOf,
  eventFiles,
  queryLake,
  resultOf,
  SparkBench,
  temporaryFolder,
  writePlan,
} from '../support/spark-lake.ts';

const FUZZ = process.env.FUZZ === 'full' ? { lines: 10_000, files: 500 } : { lines: 600, files: 40 };
const SEED = 20_181_127;
const ROWS = 4;
const MARKER = /Zyxfirst|Qwvlast/;
const COMPARED = EVENTS.columns
  .map(({ name }) => name)
  .filter((name) => !['source_file', 'batch_id'].includes(name));
const EVENT_ROWS = `SELECT ${COMPARED.join(', ')} FROM events ORDER BY ALL`;

type Fields = Record<string, string | number | null>;

/** Rows of one way to write a file; the sessions tell the ways apart. */
function rowsOf(way: number): Fields[] {
  return Array.from({ length: ROWS }, (_, item) => ({
    ts: Date.parse('2018-10-05T10:00:00Z') + 1_000 * item,
    userId: '41',
    sessionId: 100 + way,
    itemInSession: item,
    page: 'NextSong',
    auth: 'Logged In',
    method: 'PUT',
    status: 200,
    level: 'paid',
    artist: 'a [b] {c}',
    song: 'é "d" \\',
    length: 200.25,
    location: 'Bern, CH',
    gender: 'F',
    userAgent: 'Mozilla/5.0',
    registration: 1_534_044_826_000,
    firstName: 'Zyxfirst',
    lastName: 'Qwvlast',
  }));
}

const json = (row: Fields): string => JSON.stringify(row);
const lower = (name: string): string => name.toLowerCase();
const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const renamed = (rename: (name: string) => string) => (row: Fields) =>
  json(Object.fromEntries(Object.entries(row).map(([name, value]) => [rename(name), value])));
const whole = /"(ts|sessionId|itemInSession|status|registration)":(\d+)/g;

/** Ways to write the same rows. */
const WAYS: readonly ((rows: Fields[]) => string)[] = [
  (rows) => rows.map((row) => json(row).replace(whole, '"$1":$2.0')).join('\n'),
  (rows) =>
    rows.map((row) => json(row).replace(/"registration":\d+/, '"registration":1.534044826E12')).join('\n'),
  (rows) => rows.map((row) => json(row).replace('"41"', '"41.0"')).join('\n'),
  (rows) => rows.map((row) => json(row).replace('"41"', '41.0').replace(whole, '"$1":"$2"')).join('\n'),
  (rows) => rows.map(renamed(lower)).join('\n'),
  (rows) => rows.map(renamed(snake)).join('\r\n'),
  (rows) => `\uFEFF[${rows.map(json).join(',')}]`,
  (rows) => JSON.stringify(rows, null, 2),
  (rows) => rows.map(json).join(''),
  (rows) => rows.map((row) => JSON.stringify(row, null, 2)).join('\n'),
];

/** Anything that could stand in a file. */
function fuzzedLine(random: () => number): string {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const row: Record<string, unknown> = {
    ...rowsOf(Math.floor(random() * 50))[0],
    itemInSession: Math.floor(random() * 9),
  };
  const columns = RAW_COLUMNS.map(({ name }) => name);
  const anything = (): unknown =>
    pick<unknown>([
      ...[
        'Zyxfirst',
        'Qwvlast 1',
        '',
        ' ',
        '41.0',
        '1e3',
        '9007199254740993.0',
        '-0',
        'NaN',
        'é\u0000',
        '\ud800',
      ],
      ...[0, -1, 1.5, 1e300, 2 ** 53 + 2, 1_538_352_117_000, null, true, false],
      ...[['Zyxfirst'], { firstName: 'Zyxfirst' }, [[{ a: 'Qwvlast' }]], {}, []],
    ]);
  // Columns of free text keep what is in accepted rows: there a name may be.
  const safe = columns.filter(
    (name) => !['artist', 'song', 'location', 'userAgent', 'userId'].includes(name),
  );
  for (let change = Math.floor(random() * 4); change > 0; change--) {
    const name = pick<string>(safe);
    const value = row[name];
    const how = Math.floor(random() * 5);
    if (how === 0) row[name] = anything();
    else if (how === 1) delete row[name];
    else if (how === 2)
      row[pick([lower(name), snake(name), name.toUpperCase(), `${name}s`, 'Zyxfirst'])] = value ?? 1;
    else if (how === 3) row[`extra${Math.floor(random() * 3)}`] = anything();
    else row[name] = typeof value === 'number' ? String(value) : value;
  }
  const text = JSON.stringify(row).replace(whole, random() < 0.2 ? '"$1":$2.0' : '"$1":$2');
  const place = Math.floor(random() * text.length);
  return pick([
    ...Array.from({ length: 12 }, () => text),
    text.slice(0, place),
    text.slice(place),
    `${text.slice(0, place)}${pick(['"', '}', '{', ',', '\u0001', '\\', ' '])}${text.slice(place)}`,
    text.replaceAll('"', "'"),
    `${text}${text}`,
    `[${text}]`,
    `${text} Zyxfirst`,
    pick(['null', '42', '"Zyxfirst"', '[]', '{}', '   ', 'Zyxfirst,Qwvlast', '{"a":'.repeat(1_500)]),
  ]);
}

/** A file of any kind: lines, an array, objects one after another, packed, with bytes that are no text, or nothing. */
function fuzzedFile(
  random: () => number,
  lines: number,
): { readonly ending: string; readonly content: Buffer } {
  const texts = Array.from({ length: lines }, () => fuzzedLine(random));
  const objects = rowsOf(Math.floor(random() * 50)).map(json);
  const kinds = [
    ...Array.from({ length: 6 }, () => texts.join(random() < 0.2 ? '\r\n' : '\n')),
    `[${objects.join(',\n')}]`,
    `[${texts.join(',')}]`,
    objects.join(''),
    `[${objects.join(',')}`,
    JSON.stringify(rowsOf(3), null, 1),
    '',
    '\n\n',
  ];
  const text = Buffer.from(kinds[Math.floor(random() * kinds.length)] ?? '');
  const noise = Buffer.from([0xff, 0xfe, Math.floor(random() * 256)]);
  const content = random() < 0.1 ? Buffer.concat([text.subarray(0, 40), noise, text.subarray(40)]) : text;
  return random() < 0.2 ? { ending: 'json.gz', content: gzipSync(content) } : { ending: 'json', content };
}

describe('reading files as people have them', () => {
  let folder: string;
  const plans = new Map<string, RunPlan>();
  const lake = (name: string): string => join(folder, 'lakes', name);
  const plan = (name: string): RunPlan => plans.get(name) as RunPlan;

  async function planRun(
    name: string,
    files: Readonly<Record<string, string | Buffer>>,
    ingest: Partial<RunPlan['ingest']> = {},
  ) {
    const log = join(folder, 'logs', name);
    await mkdir(log, { recursive: true });
    for (const [file, content] of Object.entries(files)) await writeFile(join(log, file), content);
    plans.set(name, await writePlan(lake(name), { runId: name, files: await eventFiles(log), ingest }));
  }

  beforeAll(async () => {
    folder = await temporaryFolder();
    const plain = Object.fromEntries(
      WAYS.map((_, way) => [`plain${way}.json`, rowsOf(way).map(json).join('\n')]),
    );
    const adapted = Object.fromEntries(WAYS.map((write, way) => [`way${way}.json`, write(rowsOf(way))]));
    await planRun('plain', plain);
    await planRun('adapted', adapted);
    await planRun('both', { ...plain, ...adapted });
    await planRun('strict', adapted, { strict: true });
    const doubtful = rowsOf(0).map(json);
    await planRun(
      'doubtful',
      {
        'doubtful.json': [
          doubtful[0]?.replace('"sessionId":100', '"sessionId":9007199254740993.0'),
          doubtful[1]?.replace('"status":200', '"status":200.5'),
          doubtful[2]?.replace('"sessionId":100', '"session_id":100,"SESSIONID":101'),
          doubtful[3]?.replace('"userId":"41"', '"userId":"0041"'),
          doubtful[0]?.replace('"userId":"41"', '"userId":"1e3"'),
          doubtful[1]
            ?.replace('"level":"paid"', '"level":""')
            .replace('"registration":1534044826000', '"registration":""'),
        ].join('\n'),
      },
      { maxQuarantineShare: 1 },
    );
    const draw = seeded(SEED);
    const random = (): number => draw(1_000_000) / 1_000_000;
    const lines = Math.ceil(FUZZ.lines / FUZZ.files);
    const files = Array.from({ length: FUZZ.files }, (_, number) => ({
      number,
      ...fuzzedFile(random, lines),
    }));
    await planRun(
      'fuzz',
      Object.fromEntries(files.map(({ number, ending, content }) => [`f${number}.${ending}`, content])),
      { maxQuarantineShare: 1 },
    );
    await new SparkBench(folder, ingestEvents).runAll([...plans.values()]);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('makes the events of the plain log, column for column, and counts what was adapted', async () => {
    const rows = WAYS.length * ROWS;
    const { counts, adapted } = await resultOf(ingestEvents, plan('adapted'));
    expect(counts).toEqual({ read: rows, accepted: rows, quarantined: 0, duplicates: 0 });
    expect(await queryLake(lake('adapted'), EVENT_ROWS)).toEqual(await queryLake(lake('plain'), EVENT_ROWS));
    expect(adapted).toEqual({
      rows,
      files: WAYS.length,
      by: [
        { adaptation: 'whole_fraction', rows: 4 * ROWS, files: 4 },
        { adaptation: 'quoted_number', rows: ROWS, files: 1 },
        { adaptation: 'other_case', rows: 2 * ROWS, files: 2 },
        { adaptation: 'cut_out', rows: 4 * ROWS, files: 4 },
      ],
    });
  });

  it('takes an adapted row and its plain form as copies of one event', async () => {
    const { counts } = await resultOf(ingestEvents, plan('both'));
    expect(counts).toMatchObject({ accepted: WAYS.length * ROWS, duplicates: WAYS.length * ROWS });
    expect(await queryLake(lake('both'), EVENT_ROWS)).toEqual(await queryLake(lake('plain'), EVENT_ROWS));
  });

  it('refuses instead when it is strict, and says what to change', async () => {
    const { message } = await errorOf(ingestEvents, plan('strict'));
    for (const told of [
      'userId is a whole number written with a fraction or an exponent: 8 rows in 2 files',
      'sessionId is spelt in another case or in snake case',
      'the line is a JSON array: it begins with [',
      'or run without strict',
    ])
      expect(message).toContain(told);
    expect(await queryLake(lake('strict'), 'SELECT * FROM events')).toEqual([]);
  });

  it('refuses what can mean two things, or may have lost digits', async () => {
    const { refused, counts } = await resultOf(ingestEvents, plan('doubtful'));
    expect(refused).toEqual({ wrong_type: 2, two_spellings: 1 });
    expect(counts.accepted).toBe(3);
    const users = await queryLake(lake('doubtful'), 'SELECT DISTINCT user_id FROM events ORDER BY 1');
    expect(users.map((row) => row.user_id)).toEqual(['0041', '1e3', '41']);
    const [absent] = await queryLake(
      lake('doubtful'),
      "SELECT level, registered_at FROM events WHERE user_id = '41'",
    );
    expect(absent).toEqual({ level: null, registered_at: null });
  });

  it(`counts every row of ${FUZZ.files} files of anything, and lets no name out (seed ${SEED})`, async () => {
    const { counts } = await resultOf(ingestEvents, plan('fuzz'));
    expect(counts.accepted).toBeGreaterThan(0);
    expect(counts.read).toBe(counts.accepted + counts.quarantined + counts.duplicates);
    const ledger = await queryLake(lake('fuzz'), 'SELECT * FROM ingest_files');
    expect(ledger).toHaveLength(FUZZ.files);
    for (const file of ledger) {
      const parts = Number(file.rows_accepted) + Number(file.rows_quarantined) + Number(file.rows_duplicate);
      expect(Number(file.rows_read), String(file.uri)).toBe(parts);
    }
    for (const table of ['events', 'quarantined_events', 'user_days', 'ingest_files'])
      expect(JSON.stringify(await queryLake(lake('fuzz'), `SELECT * FROM ${table}`)), table).not.toMatch(
        MARKER,
      );
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || path.startsWith(join(folder, 'logs'))) continue;
      expect(MARKER.test(await readFile(path, 'latin1')), path).toBe(false);
    }
  });
});
