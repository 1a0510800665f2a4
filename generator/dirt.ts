/** Counts the defects in a dirty log, so that ingest's counts can be checked to the row. */
import { ROW_DEFECTS, type RowDefectCode } from '../domain/events.ts';
import type { OddityName } from './defects.ts';

/** What a dirty log contains besides its valid rows. */
export interface Dirt {
  /** All rows: valid, refused and duplicate. Blank lines are not rows. */
  readonly rows: number;
  /** Rows that must be refused, by reason. */
  readonly refused: Readonly<Record<RowDefectCode, number>>;
  /** All rows that must be refused. */
  readonly refusedRows: number;
  /** Repeated copies of valid rows. */
  readonly duplicates: number;
  /** Oddities that must be accepted, by kind; not counted again when a whole file is delivered twice. */
  readonly oddities: Readonly<Record<OddityName, number>>;
}

/** The rows of one file, by the outcome that ingest must give them. */
export class FileTally {
  valid = 0;
  duplicates = 0;
  readonly refused: Record<RowDefectCode, number> = zeroPerReason();
}

/** The running totals of a whole log. */
export class DirtTally {
  readonly oddities: Record<OddityName, number> = zeroPerOddity();
  private valid = 0;
  private duplicates = 0;
  private readonly refused: Record<RowDefectCode, number> = zeroPerReason();

  add(file: FileTally): void {
    this.valid += file.valid;
    this.duplicates += file.duplicates;
    this.addRefused(file);
  }

  /** The second delivery of a file: its valid rows are now duplicates. */
  addCopy(file: FileTally): void {
    this.duplicates += file.valid + file.duplicates;
    this.addRefused(file);
  }

  summary(): Dirt {
    const refusedRows = Object.values(this.refused).reduce((sum, count) => sum + count, 0);
    return {
      rows: this.valid + this.duplicates + refusedRows,
      refused: { ...this.refused },
      refusedRows,
      duplicates: this.duplicates,
      oddities: { ...this.oddities },
    };
  }

  private addRefused(file: FileTally): void {
    for (const { code } of ROW_DEFECTS) this.refused[code] += file.refused[code];
  }
}

function zeroPerReason(): Record<RowDefectCode, number> {
  return {
    malformed_json: 0,
    two_spellings: 0,
    wrong_type: 0,
    missing_ts: 0,
    ts_in_seconds: 0,
    ts_out_of_range: 0,
    unknown_auth: 0,
    missing_user_id: 0,
    missing_page: 0,
    unknown_page: 0,
    unknown_level: 0,
    impossible_length: 0,
  };
}

function zeroPerOddity(): Record<OddityName, number> {
  return {
    'unknown column': 0,
    'integer userId': 0,
    'whole number with a fraction': 0,
    'number in quotes': 0,
    'null instead of absent': 0,
    'pseudo-user': 0,
    'null userId of nobody': 0,
    'line of 5 MB': 0,
    'row two days late': 0,
    'blank line': 0,
    'byte order mark': 0,
    'file with CRLF': 0,
    'empty file': 0,
    'file delivered twice': 0,
  };
}
