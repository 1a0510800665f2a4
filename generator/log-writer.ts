/** Writers of a log's rows, day by day. */
import { join } from 'node:path';
import type { EventView } from './day-events.ts';
import { DayFile } from './day-file.ts';

/** What was written to a log's folder. */
export interface Written {
  readonly files: number;
  readonly bytes: number;
}

/** Accepts rows between opening and closing a day; days come in order. */
export interface LogWriter {
  /** Whether so much is buffered that `flush` should be called. */
  readonly isFull: boolean;
  /** `name` is the day's date. */
  openDay(day: number, name: string): Promise<void>;
  /** `line` does not include its line ending. */
  row(line: string, event: EventView): void;
  flush(): Promise<void>;
  closeDay(): Promise<Written>;
}

/** The path of a day's file. */
export function dayPath(folder: string, name: string): string {
  return join(folder, `${name}.json`);
}

/** Writes rows unchanged, one file per day. */
export class CleanWriter implements LogWriter {
  private readonly folder: string;
  private file: DayFile | undefined;

  constructor(folder: string) {
    this.folder = folder;
  }

  get isFull(): boolean {
    return this.file?.isFull === true;
  }

  async openDay(_day: number, name: string): Promise<void> {
    this.file = await DayFile.create(dayPath(this.folder, name));
  }

  row(line: string): void {
    this.file?.write(`${line}\n`);
  }

  async flush(): Promise<void> {
    await this.file?.flush();
  }

  async closeDay(): Promise<Written> {
    const bytes = (await this.file?.close()) ?? 0;
    return { files: 1, bytes };
  }
}
