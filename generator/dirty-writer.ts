/**
 * Writes a log with defects mixed in. Refused rows and duplicates are added to the valid rows, all of which are kept
 * (some oddly written, some late): the accepted rows of a dirty log are the clean log of the same seed.
 */
import { copyFile, writeFile } from 'node:fs/promises';
import type { EventView } from './day-events.ts';
import { DayFile } from './day-file.ts';
import { brokenOff, DEFECTS, huge, ODDITIES } from './defects.ts';
import { type Dirt, DirtTally, FileTally } from './dirt.ts';
import { dayPath, type LogWriter, type Written } from './log-writer.ts';
import { itemAt, Random } from './random.ts';
import { STATES, type StateFacts } from './user-states.ts';

/** Shares of rows. The share of refused rows stays far below the limit at which a run fails. */
const DEFECT_SHARE = 0.01;
const ODDITY_SHARE = 0.02;
const DUPLICATE_SHARE = 0.003;
const LATE_SHARE = 0.001;
const BLANK_SHARE = 0.0005;
const DAYS_LATE = 2;

/** The days whose files are odd as a whole: those whose number modulo this is one of the following. */
const FILE_CYCLE_DAYS = 10;
const BYTE_ORDER_MARK_DAY = 0;
const BROKEN_OFF_DAY = 0;
const EMPTY_FILE_DAY = 0;
const CRLF_DAY = 1;
const REDELIVERED_DAY = 1;
const HUGE_LINE_DAY = 2;

export class DirtyWriter implements LogWriter {
  private readonly folder: string;
  private readonly days: number;
  private readonly random: Random;
  private readonly tally = new DirtTally();
  private readonly defects = new Rotation(DEFECTS);
  private readonly oddities = new Rotation(ODDITIES);
  /** Rows waiting for the day on which they are delivered, by that day. */
  private readonly late = new Map<number, string[]>();
  private file: DayFile | undefined;
  private fileTally = new FileTally();
  private day = 0;
  private name = '';
  private lineEnd = '\n';
  private lastLine = '';
  private isHugeDue = false;
  /** Rows that are repeated at the end of the file. */
  private repeats: string[] = [];

  constructor(folder: string, seed: number, days: number) {
    this.folder = folder;
    this.days = days;
    this.random = new Random(seed, 'defect', 0);
  }

  get isFull(): boolean {
    return this.file?.isFull === true;
  }

  async openDay(day: number, name: string): Promise<void> {
    this.day = day;
    this.name = name;
    this.file = await DayFile.create(dayPath(this.folder, name));
    this.fileTally = new FileTally();
    this.repeats = [];
    this.lastLine = '';
    this.isHugeDue = this.isDay(HUGE_LINE_DAY);
    this.lineEnd = this.isDay(CRLF_DAY) ? '\r\n' : '\n';
    if (this.isDay(CRLF_DAY)) this.tally.oddities['file with CRLF']++;
    if (!this.isDay(BYTE_ORDER_MARK_DAY)) return;
    this.file.write('\uFEFF');
    this.tally.oddities['byte order mark']++;
  }

  row(line: string, event: EventView): void {
    const { random } = this;
    if (this.day + DAYS_LATE < this.days && random.happens(LATE_SHARE)) this.postpone(line);
    else this.writeValid(this.perhapsOdd(line, event));
    if (random.happens(DEFECT_SHARE)) this.writeDefect(line, event);
    if (random.happens(BLANK_SHARE)) this.writeBlank();
  }

  async flush(): Promise<void> {
    await this.file?.flush();
  }

  async closeDay(): Promise<Written> {
    for (const line of this.late.get(this.day) ?? []) this.writeValid(line);
    this.late.delete(this.day);
    for (const line of this.repeats) this.writeLine(line);
    this.fileTally.duplicates += this.repeats.length;
    if (this.isDay(BROKEN_OFF_DAY) && this.lastLine !== '') {
      this.file?.write(brokenOff(this.lastLine));
      this.fileTally.refused.malformed_json++;
    }
    const bytes = (await this.file?.close()) ?? 0;
    this.tally.add(this.fileTally);
    if (this.isDay(EMPTY_FILE_DAY)) return this.addEmptyFile(bytes);
    return this.isDay(REDELIVERED_DAY) ? this.redeliver(bytes) : { files: 1, bytes };
  }

  /** The totals of all closed days. */
  summary(): Dirt {
    return this.tally.summary();
  }

  private isDay(cycleDay: number): boolean {
    return this.day % FILE_CYCLE_DAYS === cycleDay;
  }

  private writeLine(line: string): void {
    this.file?.write(line + this.lineEnd);
  }

  private writeValid(line: string): void {
    this.writeLine(line);
    this.fileTally.valid++;
    this.lastLine = line;
    if (this.random.happens(DUPLICATE_SHARE)) this.repeats.push(line);
  }

  private postpone(line: string): void {
    const day = this.day + DAYS_LATE;
    const rows = this.late.get(day) ?? [];
    rows.push(line);
    this.late.set(day, rows);
    this.tally.oddities['row two days late']++;
  }

  private perhapsOdd(line: string, event: EventView): string {
    if (this.isHugeDue) {
      this.isHugeDue = false;
      this.tally.oddities['line of 5 MB']++;
      return huge(line);
    }
    if (!this.random.happens(ODDITY_SHARE)) return line;
    const oddity = this.oddities.next(event.state);
    if (oddity === undefined) return line;
    this.tally.oddities[oddity.name]++;
    return oddity.change(line);
  }

  private writeDefect(line: string, event: EventView): void {
    const defect = this.defects.next(event.state);
    if (defect === undefined) return;
    const changed = defect.change(line);
    if (typeof changed === 'string') {
      this.writeLine(changed);
    } else {
      this.file?.writeBytes(changed);
      this.writeLine('');
    }
    this.fileTally.refused[defect.code]++;
  }

  private writeBlank(): void {
    this.writeLine(this.random.pick(['', '  ', '\t']));
    this.tally.oddities['blank line']++;
  }

  private async addEmptyFile(bytes: number): Promise<Written> {
    await writeFile(dayPath(this.folder, `${this.name}-empty`), '');
    this.tally.oddities['empty file']++;
    return { files: 2, bytes };
  }

  private async redeliver(bytes: number): Promise<Written> {
    await copyFile(dayPath(this.folder, this.name), dayPath(this.folder, `${this.name}-again`));
    this.tally.addCopy(this.fileTally);
    this.tally.oddities['file delivered twice']++;
    return { files: 2, bytes: 2 * bytes };
  }
}

/** Applies changes in turn, so that even a small log gets every kind; a change that does not fit a row waits for the next row. */
class Rotation<T extends { readonly applies: (state: StateFacts) => boolean }> {
  private readonly waiting: T[];

  constructor(changes: readonly T[]) {
    this.waiting = [...changes];
  }

  next(state: number): T | undefined {
    const place = this.waiting.findIndex(({ applies }) => applies(itemAt(STATES, state)));
    const [change] = place < 0 ? [] : this.waiting.splice(place, 1);
    if (change !== undefined) this.waiting.push(change);
    return change;
  }
}
