/** Reads a dirty log as ingest must and compares the result with the generator's counts. */
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  AUTHS,
  LEVELS,
  PAGES,
  PSEUDO_USER_IDS,
  ROW_DEFECTS,
  type RowDefectCode,
  SECONDS_BELOW_MILLISECONDS,
  USER_AUTHS,
} from '../../domain/events.ts';
import { dirtOf, generated, type Log, rowsOf } from './support.ts';

const OPTIONS = { users: 120, days: 12, seed: 5 };
const EARLIEST = Date.parse('2000-01-01T00:00:00Z');
const LATEST = Date.parse('2100-01-01T00:00:00Z');

/** What can only mean a number. */
const quoted = z
  .string()
  .regex(/^\d+(\.\d+)?$/)
  .transform(Number);

/** A row whose types are correct; anything else about it may be wrong. */
const typedSchema = z.looseObject({
  ts: z.union([z.int(), quoted]).nullish(),
  userId: z.union([z.string(), z.int()]).nullish(),
  sessionId: z.int().nullish(),
  itemInSession: z.int().nullish(),
  page: z.string().nullish(),
  auth: z.string().nullish(),
  level: z.string().nullish(),
  // JSON has no infinity, but a number can be too large.
  length: z.union([z.number(), z.literal(Number.POSITIVE_INFINITY), quoted]).nullish(),
  artist: z.string().nullish(),
  status: z.int().nullish(),
});
type Typed = z.infer<typeof typedSchema>;

const isOneOf = (list: readonly string[], value: string | null | undefined): boolean =>
  list.includes(value ?? '');

/** The rules of ingest, written a second time, independently. */
function refusalOf({ ts, auth, userId, page, level, length }: Typed): RowDefectCode | undefined {
  if (ts === null || ts === undefined) return 'missing_ts';
  if (ts < SECONDS_BELOW_MILLISECONDS) return 'ts_in_seconds';
  if (ts < EARLIEST || ts >= LATEST) return 'ts_out_of_range';
  if (!isOneOf(AUTHS, auth)) return 'unknown_auth';
  if (isOneOf(USER_AUTHS, auth) && (userId ?? '') === '') return 'missing_user_id';
  if (page === null || page === undefined) return 'missing_page';
  if (!isOneOf(PAGES, page)) return 'unknown_page';
  if (level !== null && level !== undefined && !isOneOf(LEVELS, level)) return 'unknown_level';
  return typeof length === 'number' && (length < 0 || length === Number.POSITIVE_INFINITY)
    ? 'impossible_length'
    : undefined;
}

function parsed(line: Buffer): unknown {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line));
    return typeof value === 'object' && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function judged(line: Buffer): RowDefectCode | Typed {
  const value = parsed(line);
  if (value === undefined) return 'malformed_json';
  if (/"session_id":1,"SESSIONID":2/.test(line.toString('latin1'))) return 'two_spellings';
  if (/"userId":\d+\.[1-9]/.test(line.toString('latin1'))) return 'wrong_type';
  const typed = typedSchema.safeParse(value);
  return typed.success ? (refusalOf(typed.data) ?? typed.data) : 'wrong_type';
}

/** Lines as bytes, because some are not UTF-8. */
function linesOf(file: Buffer): Buffer[] {
  const text = file.toString('latin1').replace(/^\u00ef\u00bb\u00bf/, '');
  return text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => Buffer.from(line, 'latin1'));
}

/** What makes two rows the same. All ways to write that a row has no user are equal. */
function keyOf(row: Typed): string {
  const userId = String(row.userId ?? '');
  const user = PSEUDO_USER_IDS.includes(userId) ? '' : userId;
  return [user, row.ts, row.sessionId, row.itemInSession, row.page, row.level, row.length, row.artist].join(
    '|',
  );
}

describe('a dirty log', () => {
  let clean: Log;
  let dirty: Log;
  const refused: Partial<Record<RowDefectCode, number>> = {};
  const accepted = new Set<string>();
  let rowCount = 0;
  let duplicates = 0;

  beforeAll(async () => {
    clean = await generated(OPTIONS);
    dirty = await generated({ ...OPTIONS, dirty: true });
    for (const line of [...dirty.files.values()].flatMap(linesOf)) {
      rowCount++;
      const verdict = judged(line);
      if (typeof verdict === 'string') refused[verdict] = (refused[verdict] ?? 0) + 1;
      else if (accepted.has(keyOf(verdict))) duplicates++;
      else accepted.add(keyOf(verdict));
    }
  });

  it('contains as many refused rows of each kind as its summary says, and some of every kind', () => {
    expect(dirtOf(dirty).refused).toEqual(refused);
    expect(Object.keys(refused).sort()).toEqual(ROW_DEFECTS.map(({ code }) => code).sort());
    expect(dirtOf(dirty).refusedRows).toBe(Object.values(refused).reduce((sum, count) => sum + count, 0));
  });

  it('contains as many duplicates as its summary says', () => {
    expect(duplicates).toBeGreaterThan(0);
    expect(dirtOf(dirty).duplicates).toBe(duplicates);
  });

  it('accounts for every row', () => {
    expect(dirtOf(dirty).rows).toBe(rowCount);
    expect(dirty.summary.events + dirtOf(dirty).duplicates + dirtOf(dirty).refusedRows).toBe(rowCount);
  });

  it('equals the clean log of the same seed once refused rows and duplicates are removed', () => {
    expect(accepted).toEqual(new Set(rowsOf(clean).map(keyOf)));
    expect(dirty.summary.events).toBe(clean.summary.events);
    expect(dirty.summary.users).toBe(clean.summary.users);
    expect(dirty.summary.cancellations).toBe(clean.summary.cancellations);
  });

  it('stays below the share of refused rows that fails a run', () => {
    expect(dirtOf(dirty).refusedRows / rowCount).toBeGreaterThan(0.005);
    expect(dirtOf(dirty).refusedRows / rowCount).toBeLessThan(0.02);
  });

  it('contains every oddity that must be accepted', () => {
    for (const [oddity, count] of Object.entries(dirtOf(dirty).oddities))
      expect(count, oddity).toBeGreaterThan(0);
    const texts = [...dirty.files].map(([name, bytes]) => ({ name, bytes, text: bytes.toString('latin1') }));
    const found = (holds: (file: (typeof texts)[number]) => boolean) => texts.filter(holds).length;
    const { oddities } = dirtOf(dirty);
    expect(found(({ text }) => text.startsWith('\u00ef\u00bb\u00bf'))).toBe(oddities['byte order mark']);
    expect(found(({ bytes }) => bytes.length === 0)).toBe(oddities['empty file']);
    expect(found(({ name }) => name.endsWith('-again.json'))).toBe(oddities['file delivered twice']);
    expect(found(({ text, name }) => text.includes('\r\n') && !name.includes('again'))).toBe(
      oddities['file with CRLF'],
    );
    expect(found(({ text }) => text.split('\n').some((line) => line.length > 5_000_000))).toBe(
      oddities['line of 5 MB'],
    );
    expect(found(({ text }) => text !== '' && !text.endsWith('\n'))).toBeGreaterThan(0);
    expect(texts.flatMap(({ text }) => text.match(/"userId":\d/g) ?? []).length).toBeGreaterThanOrEqual(
      oddities['integer userId'],
    );
  });

  it('is identical to the byte for the same seed', async () => {
    const again = await generated({ ...OPTIONS, dirty: true });
    for (const [name, bytes] of again.files) expect(dirty.files.get(name)?.equals(bytes), name).toBe(true);
  });

  it('contains every defect and oddity if it covers three days or more', async () => {
    const { summary } = await generated({ users: 300, days: 3, seed: 3, dirty: true });
    expect(Object.values(summary.dirt?.refused ?? {})).not.toContain(0);
    expect(Object.values(summary.dirt?.oddities ?? {})).not.toContain(0);
  });
});
