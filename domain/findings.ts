/**
 * What was found in refused rows: of which column, what kind of value, and what to change. Of the values themselves only
 * what is on the lists below leaves the raw log; a word or a name that is not on them only when so many rows have it that
 * it cannot be the name of a person.
 */
import { AUTHS, LEVELS, METHODS, PAGES, RAW_COLUMNS, type RawColumnName, type RawType } from './events.ts';

/** Columns that hold one of a few words. */
export const WORDS: Readonly<Partial<Record<RawColumnName, readonly string[]>>> = {
  auth: AUTHS,
  level: LEVELS,
  method: METHODS,
  page: PAGES,
};

/** Columns whose values are kept of a refused row, if they are of the right type; of those in WORDS, the known words. */
export const KEPT_COLUMNS = [
  'ts',
  'page',
  'auth',
  'level',
  'method',
  'status',
  'sessionId',
  'itemInSession',
  'userId',
] as const satisfies readonly RawColumnName[];

/** A kept value has at most so many bytes. */
export const KEPT_VALUE_BYTES = 64;
/** A word or a column name that is not ours is shown when it is in at least so many refused rows of a batch … */
export const SHOWN_WORD_ROWS = 10;
/** … of at least so many users: the first name of one user may be in hundreds of rows. */
export const SHOWN_WORD_USERS = 3;

/** A kind of thing that is found in a refused row. */
export interface FindingKind {
  readonly code: string;
  /** Completes "registration is …"; of a whole line, "the line is …". */
  readonly says: string;
  /** What to change; {expected} is what the column holds, {column} its name. */
  readonly change: string;
}

/** Everything that can be found, in the order in which it is looked for. */
export const FINDING_KINDS = [
  {
    code: 'not_json',
    says: 'no JSON',
    change: 'look for truncated uploads and for other texts in the file',
  },
  {
    code: 'single_quotes',
    says: 'written with single quotes, as Python shows a dict',
    change: 'write it with json.dumps, or any other writer of JSON',
  },
  {
    code: 'utf16',
    says: 'written with bytes of zero, as in UTF-16',
    change: 'convert the file to UTF-8, for instance with iconv -f UTF-16 -t UTF-8',
  },
  {
    code: 'not_utf8',
    says: 'not in UTF-8',
    change: 'write the file in UTF-8',
  },
  {
    code: 'more_than_one',
    says: 'a JSON value with something behind it',
    change: 'write one JSON object a line',
  },
  {
    code: 'line_array',
    says: 'a JSON array: it begins with [',
    change: "write one JSON object a line, for instance with jq -c '.[]'",
  },
  {
    code: 'no_object',
    says: 'a JSON value that is no object',
    change: 'write one JSON object a line',
  },
  {
    code: 'two_spellings',
    says: 'there in two spellings, or twice with different values',
    change: 'write {column} once, spelt just so',
  },
  {
    code: 'other_case',
    says: 'spelt in another case or in snake case',
    change: 'write {column} just so, or run without strict',
  },
  {
    code: 'nearly',
    says: 'spelt nearly, but not quite so',
    change: 'write {column} just so',
  },
  {
    code: 'absent',
    says: 'absent',
    change: 'write {column} in every row',
  },
  {
    code: 'not_a_number',
    says: 'NaN or infinity, which is no JSON',
    change: 'write null, or leave {column} out',
  },
  {
    code: 'whole_fraction',
    says: 'a whole number written with a fraction or an exponent',
    change: 'write {column} as {expected}, or run without strict',
  },
  {
    code: 'quoted_number',
    says: 'a number in quotes',
    change: 'write {column} as {expected}, or run without strict',
  },
  {
    code: 'lossy',
    says: 'a whole number beyond 2^53 written with a fraction or an exponent, so that digits may be lost',
    change: 'write all its digits, without fraction and exponent',
  },
  {
    code: 'fraction',
    says: 'a number with a fraction',
    change: 'write {column} as {expected}',
  },
  {
    code: 'too_large',
    says: 'a whole number beyond 64 bits',
    change: 'write {column} as {expected}',
  },
  { code: 'text', says: 'text', change: 'write {column} as {expected}' },
  { code: 'boolean', says: 'true or false', change: 'write {column} as {expected}' },
  { code: 'object', says: 'an object', change: 'write {column} as {expected}' },
  { code: 'array', says: 'an array', change: 'write {column} as {expected}' },
  {
    code: 'unknown_word',
    says: 'a word that is not known',
    change: 'correct the exporter, or add the word in domain/events.ts',
  },
  {
    code: 'unknown_column',
    says: 'not a column of the log',
    change: 'nothing, unless it should be one of ours: other columns are not read',
  },
] as const satisfies readonly FindingKind[];

export type FindingCode = (typeof FINDING_KINDS)[number]['code'];

const EXPECTED: Readonly<Record<RawType, string>> = {
  string: 'text',
  integer: 'a whole number without quotes',
  number: 'a number without quotes',
};

/** What a column must hold, in words. */
export function expectedValue(column: string): string {
  if (column === 'userId') return 'text or a whole number';
  if (column === 'ts' || column === 'registration') return 'milliseconds since 1970, without quotes';
  const found = RAW_COLUMNS.find(({ name }) => name === column);
  return found === undefined ? 'one of our columns' : EXPECTED[found.type];
}

/** The part of a finding that words are made of; results.ts has the whole. */
interface Finding {
  readonly column: string;
  readonly found: FindingCode;
  readonly word: string | null;
}

/** What was found, without the counts: "page is a word that is not known: Podcast". */
export function findingText({ column, found, word }: Finding): string {
  const kind = FINDING_KINDS.find(({ code }) => code === found);
  const subject = column !== '' ? column : found === 'unknown_column' ? 'a name' : 'the line';
  return `${subject} is ${kind?.says ?? found}${word === null ? '' : `: ${word}`}`;
}

/** What to change because of it. */
export function findingRemedy({ column, found }: Pick<Finding, 'column' | 'found'>): string {
  const change = FINDING_KINDS.find(({ code }) => code === found)?.change ?? '';
  return change.replaceAll('{column}', column).replaceAll('{expected}', expectedValue(column));
}
