/**
 * Generates an event log with the statistics of the published ones: `churn generate`.
 *
 * The simulation advances all users by one day, orders the day's events by time, writes them, and continues with the next
 * day. Memory therefore holds the events of one day (about 25 bytes each) and the users (about a kilobyte each), however
 * long the log is: 20,000 users take 300 MB, 200,000 take 550 MB (measured); a million would take about 2 GB.
 */
import { mkdir, readdir } from 'node:fs/promises';
import { fileKind } from '../domain/event-files.ts';
import { SECONDS_PER_DAY } from '../domain/events.ts';
import { UserError } from '../domain/user-error.ts';
import { Calendar } from './calendar.ts';
import { USER_CLASSES } from './classes.ts';
import { DayEvents } from './day-events.ts';
import type { Dirt } from './dirt.ts';
import { DirtyWriter } from './dirty-writer.ts';
import { CleanWriter, type LogWriter } from './log-writer.ts';
import { type Person, Population } from './population.ts';
import { itemAt } from './random.ts';
import { isUser, RowWriter } from './row.ts';
import { UserSimulation, type World } from './simulation.ts';
import { Catalogue } from './songs.ts';
import { Transitions } from './transitions.ts';
import { STATES } from './user-states.ts';

/** The day on which the published logs begin. */
export const DEFAULT_START_DATE = '2018-10-01';

export interface GenerateOptions {
  /** Users who exist. In a short log some of them have no event. */
  readonly users: number;
  readonly days: number;
  /** Any whole number. The same seed gives the same bytes; asking for more days only appends to a log. */
  readonly seed: number;
  /** Folder of the day files; created if necessary, refused if it already contains event files. */
  readonly outputFolder: string;
  /** Mixes in the defects that ingest must handle (all of them, given three days or more). The valid rows stay the same. */
  readonly dirty?: boolean;
  /** First day, YYYY-MM-DD (UTC). */
  readonly startDate?: string;
}

export interface GenerateSummary {
  /** Distinct valid events. */
  readonly events: number;
  /** Users with at least one event while signed in. */
  readonly users: number;
  readonly cancellations: number;
  readonly files: number;
  readonly bytes: number;
  /** The largest number of events in memory at once: those of the busiest day. */
  readonly mostEventsInMemory: number;
  /** What was mixed in, if the log is dirty. */
  readonly dirt?: Dirt;
}

/** Called after each day with the number of events so far and the date just written. */
export type ProgressListener = (events: number, day: string) => void;

/** The options are invalid; the message says what to change. */
export class GenerateError extends UserError {
  override readonly name = 'GenerateError';
}

/** Sessions are numbered in this many series, so that, as in real logs, a number alone does not identify a session. */
const SESSION_SERIES = 4;
const IS_CANCELLED = STATES.map(({ auth }) => auth === 'Cancelled');
const IS_USER = STATES.map(isUser);

/** Writes a log with one file per UTC day, named YYYY-MM-DD.json. */
export async function generateLog(
  options: GenerateOptions,
  onProgress?: ProgressListener,
): Promise<GenerateSummary> {
  const startSecond = checkedStartSecond(options);
  await prepareFolder(options.outputFolder);

  const catalogue = new Catalogue();
  const { people, simulations } = populate(options, startSecond, catalogue);
  const rows = new RowWriter(people, catalogue);
  const dirtyWriter =
    options.dirty === true ? new DirtyWriter(options.outputFolder, options.seed, options.days) : undefined;
  const writer: LogWriter = dirtyWriter ?? new CleanWriter(options.outputFolder);

  const today = new DayEvents();
  const hasEvent = new Uint8Array(options.users);
  const totals = { events: 0, cancellations: 0, files: 0, bytes: 0, mostEventsInMemory: 0 };
  for (let day = 0; day < options.days; day++) {
    const midnightSecond = startSecond + day * SECONDS_PER_DAY;
    const name = new Date(midnightSecond * 1_000).toISOString().slice(0, DEFAULT_START_DATE.length);
    today.clear();
    for (const simulation of simulations) simulation.advance(day, today);
    await writer.openDay(day, name);
    for (const event of today.inOrder()) {
      if (IS_USER[event.state] === true) hasEvent[event.user] = 1;
      if (IS_CANCELLED[event.state] === true) totals.cancellations++;
      writer.row(rows.line(event, midnightSecond), event);
      if (writer.isFull) await writer.flush();
    }
    const written = await writer.closeDay();
    totals.files += written.files;
    totals.bytes += written.bytes;
    totals.events += today.size;
    totals.mostEventsInMemory = Math.max(totals.mostEventsInMemory, today.size);
    onProgress?.(totals.events, name);
  }
  const users = hasEvent.reduce((sum, has) => sum + has, 0);
  return { ...totals, users, ...(dirtyWriter && { dirt: dirtyWriter.summary() }) };
}

function populate(
  { users, days, seed }: GenerateOptions,
  startSecond: number,
  catalogue: Catalogue,
): { people: Person[]; simulations: UserSimulation[] } {
  const population = new Population(seed, startSecond);
  const transitions = USER_CLASSES.map((userClass) => new Transitions(userClass));
  const world: World = {
    calendar: new Calendar(startSecond, days),
    songs: catalogue,
    nextSessionId: sessionNumbers(users),
  };
  const people: Person[] = [];
  const simulations: UserSimulation[] = [];
  for (let index = 0; index < users; index++) {
    const { person, beginning, random } = population.draw(index);
    people.push(person);
    simulations.push(
      new UserSimulation(index, beginning, random, itemAt(transitions, beginning.userClass), world),
    );
  }
  return { people, simulations };
}

/**
 * Numbers the sessions. The series begin so far apart that the next series uses the same number about nine days later:
 * never at the same time, which keeps the rows of signed-out users distinct (they do not name a user).
 */
function sessionNumbers(users: number): World['nextSessionId'] {
  const next = Array.from({ length: SESSION_SERIES }, (_, series) => 1 + series * Math.ceil(users / 2));
  return (user) => {
    const series = user % SESSION_SERIES;
    const number = itemAt(next, series);
    next[series] = number + 1;
    return number;
  };
}

function checkedStartSecond({ users, days, seed, startDate = DEFAULT_START_DATE }: GenerateOptions): number {
  if (!Number.isSafeInteger(users) || users < 1)
    throw new GenerateError(`users must be a whole number of at least 1, not ${users}`);
  if (!Number.isSafeInteger(days) || days < 1)
    throw new GenerateError(`days must be a whole number of at least 1, not ${days}`);
  if (!Number.isSafeInteger(seed)) throw new GenerateError(`seed must be a whole number, not ${seed}`);
  const start = /^\d{4}-\d{2}-\d{2}$/.test(startDate) ? Date.parse(`${startDate}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(start) || !new Date(start).toISOString().startsWith(startDate)) {
    throw new GenerateError(`startDate must be a day written YYYY-MM-DD, not ${startDate}`);
  }
  return start / 1_000;
}

async function prepareFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const present = (await readdir(folder)).find((name) => fileKind(name, 1).kind === 'events');
  if (present !== undefined) {
    throw new GenerateError(
      `${folder} already contains event files (${present}): choose an empty folder, or delete them first`,
    );
  }
}
