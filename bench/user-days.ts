/**
 * Days of simulated users, as the table user_days has them, without the log between: what models are compared on. Songs
 * have one length, and artists are left out; no model but for the number of artists reads either.
 */

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { SECONDS_PER_DAY } from '../domain/events.ts';
import { PAGE_COUNTERS, PAID_PAGE_COUNTERS, USER_DAYS } from '../domain/lake.ts';
import { Calendar } from '../generator/calendar.ts';
import { USER_CLASSES } from '../generator/classes.ts';
import { type Person, Population } from '../generator/population.ts';
import { itemAt } from '../generator/random.ts';
import { isUser } from '../generator/row.ts';
import { UserSimulation, type World } from '../generator/simulation.ts';
import { Catalogue } from '../generator/songs.ts';
import { Transitions } from '../generator/transitions.ts';
import { STATES } from '../generator/user-states.ts';

const DAYS = 61;
const START_SECOND = Date.parse('2018-10-01T00:00:00Z') / 1000;
const SONG_SECONDS = 249;
const CANCELLATION = 'Cancellation Confirmation';

/** What a file of simulated days holds: the columns of user_days, and the class of the user, which no model may see. */
export const SIMULATED_COLUMNS = [...USER_DAYS.columns.map(({ name }) => name), 'user_class'];

interface SeenSession {
  readonly id: number;
  readonly start: number;
  end: number;
}

/** The events of one user on one day, counted. */
class Day {
  private readonly counts = new Map<string, number>();
  private readonly sessions: SeenSession[] = [];
  private cancelled = '';
  private isPaid = false;

  get isEmpty(): boolean {
    return this.sessions.length === 0;
  }

  add(second: number, state: number, session: number): void {
    const { page, level } = itemAt(STATES, state);
    this.isPaid = level === 'paid';
    this.count('events');
    if (this.isPaid) this.count('paid_events');
    for (const counter of PAGE_COUNTERS) if (counter.page === page) this.count(counter.column);
    for (const counter of PAID_PAGE_COUNTERS)
      if (this.isPaid && counter.page === page) this.count(counter.column);
    if (page === CANCELLATION) this.cancelled = String(second);
    const last = this.sessions.at(-1);
    if (last?.id === session) last.end = second;
    else this.sessions.push({ id: session, start: second, end: second });
  }

  /** The values by column; times in seconds of the day. */
  values(): Readonly<Record<string, string | number>> {
    const [first, last] = [itemAt(this.sessions, 0), itemAt(this.sessions, this.sessions.length - 1)];
    return {
      ...Object.fromEntries(this.counts),
      song_seconds: (this.counts.get('songs') ?? 0) * SONG_SECONDS,
      sessions: this.sessions.length,
      session_seconds: this.sessions.reduce((sum, { start, end }) => sum + end - start, 0),
      last_cancelled_at: this.cancelled,
      first_event_at: first.start,
      last_event_at: last.end,
      first_session_id: first.id,
      first_session_started_at: first.start,
      first_session_ended_at: first.end,
      last_session_id: last.id,
      last_session_started_at: last.start,
      last_session_ended_at: last.end,
      level: this.isPaid ? 'paid' : 'free',
    };
  }

  private count(column: string): void {
    this.counts.set(column, (this.counts.get(column) ?? 0) + 1);
  }
}

/** Writes the days of so many users as tab-separated values without a head. */
export async function writeUserDays(path: string, users: number, seed: number): Promise<void> {
  const population = new Population(seed, START_SECOND);
  const transitions = USER_CLASSES.map((userClass) => new Transitions(userClass));
  let sessions = 0;
  const world: World = {
    calendar: new Calendar(START_SECOND, DAYS),
    songs: new Catalogue(),
    nextSessionId: () => {
      sessions += 1;
      return sessions;
    },
  };
  const file = createWriteStream(path);
  for (let user = 0; user < users; user += 1) {
    const { person, beginning, random } = population.draw(user);
    const simulation = new UserSimulation(
      user,
      beginning,
      random,
      itemAt(transitions, beginning.userClass),
      world,
    );
    const lines = linesOf(simulation, person, beginning.userClass);
    if (lines !== '' && !file.write(lines)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'finish');
}

const IS_USER = STATES.map(isUser);

function linesOf(simulation: UserSimulation, person: Person, userClass: number): string {
  let lines = '';
  for (let number = 0; number < DAYS; number += 1) {
    const day = new Day();
    simulation.advance(number, {
      add: (second, _user, state, _item, session) => {
        if (IS_USER[state] === true) day.add(second, state, session);
      },
    });
    if (day.isEmpty) continue;
    const midnight = START_SECOND + number * SECONDS_PER_DAY;
    const values: Readonly<Record<string, string | number>> = {
      ...day.values(),
      day: time(midnight).slice(0, 10),
      user_id: person.userId,
      gender: person.gender,
      location: person.location,
      user_agent: person.userAgent,
      registered_at: time(person.registration),
      user_class: userClass,
    };
    lines += `${SIMULATED_COLUMNS.map((name) => written(name, values[name], midnight)).join('\t')}\n`;
  }
  return lines;
}

const TYPES = new Map(USER_DAYS.columns.map(({ name, type }) => [name, type]));

function written(name: string, value: string | number | undefined, midnight: number): string {
  const type = TYPES.get(name);
  if (type === 'bigint') return String(value ?? 0);
  if (type === 'timestamp_ntz' && name !== 'registered_at')
    return value === undefined || value === '' ? '' : time(midnight + Number(value));
  return String(value ?? '');
}

const time = (second: number): string => new Date(second * 1000).toISOString().slice(0, 19);
