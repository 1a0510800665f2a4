/** Kinds of files that public users of this log have: each is read as it is meant, or refused with what to change. */
import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventFile, RunPlan } from '../../domain/run.ts';
import { ingestEvents } from '../../emr-steps/ingest-events.ts';
import { pythonExecutable } from '../../setup/environment.mjs';
import {
  errorOf,
  eventFiles,
  queryLake,
  resultOf,
  SparkBench,
  temporaryFolder,
  writePlan,
} from '../support/spark-lake.ts';

type Fields = Readonly<Record<string, unknown>>;

/** So many songs of one user; the session says which file they are in. */
function songs(session: number, count = 3): Fields[] {
  return Array.from({ length: count }, (_, item) => ({
    ts: Date.parse('2018-10-05T10:00:00Z') + 1_000 * item,
    userId: '41',
    sessionId: session,
    itemInSession: item,
    page: 'NextSong',
    auth: 'Logged In',
    method: 'PUT',
    status: 200,
    level: 'paid',
    artist: 'Ann',
    song: 'é "d" \\',
    length: 200.25,
    location: 'Bern, CH',
    gender: 'F',
    userAgent: 'Mozilla/5.0',
    registration: 1_534_044_826_000,
  }));
}

const lines = (rows: readonly Fields[]): string => rows.map((row) => JSON.stringify(row)).join('\n');
const without = (name: string, { [name]: _, ...row }: Fields): Fields => row;
const bzip2 = (text: string): Buffer =>
  execFileSync(
    pythonExecutable,
    ['-c', 'import bz2,sys;sys.stdout.buffer.write(bz2.compress(sys.stdin.buffer.read()))'],
    {
      input: text,
    },
  );

/** Files that are read, with their sessions: 3 songs each but for the long one. */
const READ: Readonly<Record<string, (session: number) => string | Buffer>> = {
  'capitals.json.GZ': (session) => gzipSync(lines(songs(session))),
  'mixed.Json.Gz': (session) => gzipSync(`${lines(songs(session)).replaceAll('\n', '\r\n')}\r\n`),
  'bz.JSONL.BZ2': (session) => bzip2(lines(songs(session))),
  'array.json.GZ': (session) => gzipSync(JSON.stringify(songs(session))),
  'unsure.LOG.GZ': (session) => gzipSync(lines(songs(session))),
  'mark.json': (session) => `\uFEFF${lines(songs(session)).replaceAll('\n', '\r\n')}`,
  'mongo.json': (session) =>
    lines(songs(session).map((row) => ({ _id: { $oid: '5bb1' }, ...row, tags: [1, { a: null }] }))),
  'zero.json': (session) => lines(songs(session).map((row) => ({ ...row, song: 'a\u0000b' }))),
  'number.json': (session) => lines(songs(session).map((row) => ({ ...row, userId: 41 }))),
  'one name.json': (session) =>
    lines(songs(session).map((row) => ({ ...without('artist', row), ARTIST: row.artist }))),
  'late name.json': (session) =>
    lines(
      songs(session, 200).map((row, item) =>
        item === 190 ? { ...without('userAgent', row), user_agent: row.userAgent } : row,
      ),
    ),
  'no column.json': (session) => lines(songs(session).map((row) => without('userAgent', row))),
};
const SESSIONS = Object.keys(READ);

/** Each a file of one kind of rows, with what is said of them. */
const REFUSED: Readonly<Record<string, readonly [content: string | Buffer, told: RegExp]>> = {
  'nan.json': [
    lines(songs(1)).replaceAll('200.25', 'NaN'),
    /length is NaN or infinity, which is no JSON: 3 rows in 1 file; write null/,
  ],
  'dict.json': [
    lines(songs(2)).replaceAll('"', "'"),
    /the line is written with single quotes, as Python shows a dict: 3 rows in 1 file; write it with json.dumps/,
  ],
  'utf16.json': [
    Buffer.from(`\uFEFF${lines(songs(3))}\n`, 'utf16le'),
    /the line is written with bytes of zero, as in UTF-16: \d rows in 1 file; convert the file to UTF-8/,
  ],
  'mongo.json': [
    lines(songs(4).map((row) => ({ ...row, ts: { $numberLong: '1538352117000' } }))),
    /ts is an object: 3 rows in 1 file; write ts as milliseconds since 1970, without quotes/,
  ],
  'iso.json': [
    lines(songs(5).map((row) => ({ ...row, ts: '2018-10-05T10:00:00Z' }))),
    /ts is text: 3 rows in 1 file; write ts as milliseconds since 1970/,
  ],
  'seconds.json': [lines(songs(6).map((row) => ({ ...row, ts: 1_538_352_117 }))), /ts_in_seconds 3/],
  'empty.json': [lines(songs(7).map((row) => ({ ...row, userId: '' }))), /missing_user_id 3/],
  'two.json': [
    lines(songs(8).map((row) => ({ ...row, Artist: 'Bob' }))),
    /artist is there in two spellings, or twice with different values: 6 rows in 2 files/,
  ],
  'twice.json': [lines(songs(9)).replaceAll('"artist"', '"artist":"Bob","artist"'), /two_spellings 9/],
  'both.json': [
    lines(songs(11).map((row) => ({ ...row, session_id: 11 }))),
    /sessionId is there in two spellings, or twice with different values: 3 rows in 1 file; write sessionId once/,
  ],
  'commas.json': [
    lines(songs(10)).replaceAll('\n', ',\n').concat(','),
    /the line is a JSON value with something behind it: 3 rows in 1 file; write one JSON object a line/,
  ],
};

/** Files of one object behind the other that are said to be too large to be cut, with how they are described. */
const TOO_LARGE: Readonly<Record<string, readonly [content: string, kind: string, command: string]>> = {
  array: [JSON.stringify(songs(1)), 'is a JSON array: its first line begins with [', '--stream'],
  line: [lines(songs(2)).replaceAll('\n', ''), 'is a single line', 'jq -c . file.json'],
  spread: [JSON.stringify(songs(3)[0], null, 2), 'is objects spread over several lines', 'jq -c . file.json'],
};

describe('kinds of files', () => {
  let folder: string;
  const plans = new Map<string, RunPlan>();
  const plan = (name: string): RunPlan => plans.get(name) as RunPlan;
  const lake = (name: string): string => join(folder, 'lakes', name);

  async function planRun(
    name: string,
    files: Readonly<Record<string, string | Buffer>>,
    of: (file: EventFile) => EventFile = (file) => file,
  ): Promise<void> {
    const log = join(folder, 'logs', name);
    await mkdir(log, { recursive: true });
    for (const [file, content] of Object.entries(files)) await writeFile(join(log, file), content);
    plans.set(name, await writePlan(lake(name), { runId: name, files: (await eventFiles(log)).map(of) }));
  }

  beforeAll(async () => {
    folder = await temporaryFolder();
    const read = Object.entries(READ).map(([name, write], session) => [name, write(session)] as const);
    await planRun(
      'read',
      {
        ...Object.fromEntries(read),
        'packed.json': gzipSync(lines(songs(90))),
        'good.json': lines(songs(91)),
      },
      (file) => (file.uri.endsWith('.LOG.GZ') ? { ...file, unsure: true } : file),
    );
    await planRun(
      'refused',
      Object.fromEntries(Object.entries(REFUSED).map(([name, [content]]) => [name, content])),
    );
    for (const [name, [content]] of Object.entries(TOO_LARGE))
      await planRun(name, { [`${name}.json`]: content }, (file) => ({ ...file, bytes: 300_000_000 }));
    await planRun('packed', { 'a.json': gzipSync(lines(songs(1))), 'b.json': gzipSync(lines(songs(2))) });
    await planRun('cut short', { 'short.json.GZ': gzipSync(lines(songs(1, 500))).subarray(0, 300) });
    await new SparkBench(folder, ingestEvents).runAll([...plans.values()]);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(SESSIONS.map((name, session) => [name, session] as const))(
    'are read as they are meant: %s',
    async (name, session) => {
      const rows = await queryLake(
        lake('read'),
        `SELECT COUNT(*) AS rows, COUNT(artist) AS artists, COUNT(user_agent) AS agents,
         COUNT(*) FILTER (user_id = '41' AND ends_with(source_file, '${name}')) AS own
       FROM events WHERE session_id = ${session}`,
      );
      const count = name === 'late name.json' ? '200' : '3';
      expect(rows).toEqual([
        { rows: count, artists: count, agents: name === 'no column.json' ? '0' : count, own: count },
      ]);
    },
  );

  it('are counted: what was adapted, and what is compressed though its name does not say so', async () => {
    const { counts, adapted, passedOver } = await resultOf(ingestEvents, plan('read'));
    expect(counts).toEqual({ read: 236, accepted: 236, quarantined: 0, duplicates: 0 });
    expect(adapted?.by).toEqual([
      { adaptation: 'other_case', rows: 4, files: 2 },
      { adaptation: 'cut_out', rows: 3, files: 1 },
    ]);
    expect(passedOver).toEqual([
      { reason: 'unnamed_compression', count: 1, first: [expect.stringMatching(/packed\.json$/)] },
    ]);
  });

  it.each(Object.entries(REFUSED))('are refused with what to change: %s', async (_name, [, told]) => {
    expect((await errorOf(ingestEvents, plan('refused'))).message).toMatch(told);
  });

  it.each(Object.entries(TOO_LARGE))(
    'are refused before they are read where they are too large: %s',
    async (name, [, kind, command]) => {
      const { message, whatToDo } = await errorOf(ingestEvents, plan(name));
      expect(message).toContain(`${kind}, and with 300,000,000 bytes too large to be cut into its objects`);
      expect(whatToDo).toContain(command);
      expect(whatToDo).toContain('> file.jsonl');
    },
  );

  it('are refused where none of them is what its name says', async () => {
    const { message, whatToDo } = await errorOf(ingestEvents, plan('packed'));
    expect(message).toMatch(
      /^none of the 2 files holds events.*: 2 compressed, and their names do not say so; the first/,
    );
    expect(whatToDo).toBe('rename them: .gz for gzip, .bz2 for bzip2');
  });

  it('are named where they end too early, in capitals, too', async () => {
    const { message, whatToDo } = await errorOf(ingestEvents, plan('cut short'));
    expect(message).toMatch(/short\.json\.GZ cannot be read to its end$/);
    expect(whatToDo).toContain('deliver the whole file again');
  });
});
