/** What can be wrong, or merely odd, about a row. Each is a way to change a valid line; row.ts shows the line's shape. */
import { type RowDefectCode, SONG_PAGE } from '../domain/events.ts';
import type { StateFacts } from './user-states.ts';

/** A change to a line, if the line's state allows it. */
interface Change {
  readonly applies: (state: StateFacts) => boolean;
}

/** A change after which ingest must refuse the row. */
export interface Defect extends Change {
  readonly code: RowDefectCode;
  readonly change: (line: string) => string | Uint8Array;
}

/** A change after which ingest must still accept the row. */
export interface Oddity extends Change {
  readonly name: OddityName;
  readonly change: (line: string) => string;
}

/** Oddities that ingest must accept; blank lines and files are counted too, but are not rows. */
export type OddityName =
  | 'unknown column'
  | 'integer userId'
  | 'whole number with a fraction'
  | 'number in quotes'
  | 'null instead of absent'
  | 'pseudo-user'
  | 'null userId of nobody'
  | 'line of 5 MB'
  | 'row two days late'
  | 'blank line'
  | 'byte order mark'
  | 'file with CRLF'
  | 'empty file'
  | 'file delivered twice';

const always = (): boolean => true;
const onSongs = ({ page }: StateFacts): boolean => page === SONG_PAGE;
const onSignedIn = ({ auth }: StateFacts): boolean => auth === 'Logged In';
const onNobody = ({ auth }: StateFacts): boolean => auth === 'Logged Out' || auth === 'Guest';
const onOtherUserRows = (state: StateFacts): boolean => onSignedIn(state) && !onSongs(state);

const TS = /"ts":(\d+)/;
const USER_ID = /"userId":"(\d*)"/;
const PAGE = /"page":"[^"]*",/;
const LENGTH = /"length":([\d.]+)/;

/** Adds columns at the end of the line. */
const append = (json: string) => (line: string) => `${line.slice(0, -1)},${json}}`;
const replace = (pattern: RegExp, by: string) => (line: string) => line.replace(pattern, by);

const SECONDS_DIGITS = /"ts":(\d+)\d{3}\b/;
const YEAR_2286_MILLISECONDS = 9_999_999_999_999;
const YEAR_1980_MILLISECONDS = 315_532_800_000;

/** The first half of a line, as an interrupted upload leaves it. */
export function brokenOff(line: string): string {
  return line.slice(0, Math.floor(line.length / 2));
}

/** Inserts bytes that are invalid in UTF-8 into a string. */
const insert = (bytes: readonly number[]) => (line: string) => {
  const text = /"userAgent":"/.exec(line);
  const place = text === null ? line.indexOf('"page":"') + '"page":"'.length : text.index + text[0].length;
  return Buffer.concat([
    Buffer.from(line.slice(0, place)),
    Buffer.from(bytes),
    Buffer.from(line.slice(place)),
  ]);
};
const NO_CHARACTER = [0xff, 0xc3, 0x28];
/** As long as the replacement character that a lenient reader substitutes for it. */
const CUT_CHARACTER = [0xf0, 0x9f, 0x98];
/** A character encoded as two surrogates of three bytes each (CESU-8), as some databases export it. */
const HALVED_CHARACTER = [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80];

export const DEFECTS: readonly Defect[] = [
  { code: 'malformed_json', applies: always, change: brokenOff },
  { code: 'malformed_json', applies: always, change: () => 'java.io.IOException: connection reset by peer' },
  { code: 'malformed_json', applies: always, change: insert(NO_CHARACTER) },
  { code: 'malformed_json', applies: always, change: insert(CUT_CHARACTER) },
  { code: 'malformed_json', applies: always, change: insert(HALVED_CHARACTER) },
  { code: 'malformed_json', applies: onSongs, change: replace(LENGTH, '"length":NaN') },
  {
    code: 'two_spellings',
    applies: always,
    change: (line) => append('"session_id":1,"SESSIONID":2')(line.replace(/"sessionId":\d+,/, '')),
  },
  { code: 'wrong_type', applies: always, change: replace(TS, '"ts":"at $1"') },
  { code: 'wrong_type', applies: always, change: replace(TS, '"ts":$1.25') },
  { code: 'wrong_type', applies: onSongs, change: replace(LENGTH, '"length":"NaN"') },
  { code: 'wrong_type', applies: onSignedIn, change: replace(USER_ID, '"userId":$1.5') },
  { code: 'wrong_type', applies: onSignedIn, change: replace(USER_ID, '"userId":{"id":"$1"}') },
  { code: 'missing_ts', applies: always, change: replace(/"ts":\d+,/, '') },
  { code: 'missing_ts', applies: always, change: replace(TS, '"ts":null') },
  { code: 'ts_in_seconds', applies: always, change: replace(SECONDS_DIGITS, '"ts":$1') },
  { code: 'ts_out_of_range', applies: always, change: replace(TS, `"ts":${YEAR_2286_MILLISECONDS}`) },
  { code: 'ts_out_of_range', applies: always, change: replace(TS, `"ts":${YEAR_1980_MILLISECONDS}`) },
  { code: 'unknown_auth', applies: always, change: replace(/"auth":"[^"]*"/, '"auth":"Banned"') },
  { code: 'unknown_auth', applies: always, change: replace(/"auth":"[^"]*",/, '') },
  { code: 'missing_user_id', applies: onSignedIn, change: replace(/"userId":"\d*",/, '') },
  { code: 'missing_user_id', applies: onSignedIn, change: replace(USER_ID, '"userId":null') },
  { code: 'missing_user_id', applies: onSignedIn, change: replace(USER_ID, '"userId":""') },
  { code: 'missing_page', applies: always, change: replace(PAGE, '') },
  { code: 'missing_page', applies: always, change: replace(PAGE, '"page":null,') },
  { code: 'unknown_page', applies: always, change: replace(PAGE, '"page":"Podcast",') },
  { code: 'unknown_level', applies: always, change: replace(/"level":"[^"]*"/, '"level":"platinum"') },
  { code: 'impossible_length', applies: onSongs, change: replace(LENGTH, '"length":-$1') },
  { code: 'impossible_length', applies: onSongs, change: replace(LENGTH, '"length":1e400') },
];

export const ODDITIES: readonly Oddity[] = [
  {
    name: 'unknown column',
    applies: always,
    change: append('"appVersion":"4.2.1","experiment":{"arm":"b","weights":[0.5,0.5]}'),
  },
  { name: 'whole number with a fraction', applies: onSignedIn, change: replace(USER_ID, '"userId":$1.0') },
  { name: 'whole number with a fraction', applies: always, change: replace(TS, '"ts":$1.0') },
  { name: 'number in quotes', applies: always, change: replace(TS, '"ts":"$1"') },
  { name: 'number in quotes', applies: onSongs, change: replace(LENGTH, '"length":"$1"') },
  { name: 'integer userId', applies: onSignedIn, change: replace(USER_ID, '"userId":$1') },
  {
    name: 'null instead of absent',
    applies: onOtherUserRows,
    change: append('"artist":null,"song":null,"length":null'),
  },
  {
    name: 'null instead of absent',
    applies: onNobody,
    change: append(
      '"location":null,"userAgent":null,"lastName":null,"firstName":null,"registration":null,"gender":null',
    ),
  },
  { name: 'pseudo-user', applies: onNobody, change: replace(USER_ID, '"userId":"1261737"') },
  { name: 'null userId of nobody', applies: onNobody, change: replace(USER_ID, '"userId":null') },
];

const HUGE_LINE_BYTES = 5_000_000;

/** A valid line of 5 MB. */
export function huge(line: string): string {
  return append(`"debug":"${'x'.repeat(HUGE_LINE_BYTES)}"`)(line);
}
