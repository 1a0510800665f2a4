/** Writes events as lines of JSON, with the keys of the published logs in the same order. */
import type { EventView } from './day-events.ts';
import type { Person } from './population.ts';
import { itemAt } from './random.ts';
import { NO_SONG } from './simulation.ts';
import type { Catalogue } from './songs.ts';
import { STATES, type StateFacts } from './user-states.ts';

/** The part of a row between the session and the item's number. */
const STATE_JSON = STATES.map(
  ({ page, auth, method, status, level }) =>
    `,"page":"${page}","auth":"${auth}","method":"${method}","status":${status},"level":"${level}","itemInSession":`,
);
const IS_USER = STATES.map(isUser);

/** Whether a row in this state names its user. */
export function isUser({ auth }: StateFacts): boolean {
  return auth === 'Logged In' || auth === 'Cancelled';
}

/** Turns events into lines, without line endings. */
export class RowWriter {
  private readonly people: readonly Person[];
  private readonly personJson: (string | undefined)[];
  private readonly catalogue: Catalogue;

  constructor(people: readonly Person[], catalogue: Catalogue) {
    this.people = people;
    this.personJson = new Array<string | undefined>(people.length).fill(undefined);
    this.catalogue = catalogue;
  }

  /** `midnightSecond` is the start of the day, in epoch seconds. */
  line(event: EventView, midnightSecond: number): string {
    const { user, state, song } = event;
    const start = `{"ts":${midnightSecond + event.second}000,"userId":"`;
    const request = `,"sessionId":${event.sessionId}${STATE_JSON[state] ?? ''}${event.item}`;
    if (IS_USER[state] !== true) return `${start}"${request}}`;
    const music = song === NO_SONG ? '}' : `,${this.catalogue.json(song)}}`;
    return `${start}${itemAt(this.people, user).userId}"${request}${this.person(user)}${music}`;
  }

  private person(user: number): string {
    const known = this.personJson[user];
    if (known !== undefined) return known;
    const json = personJson(itemAt(this.people, user));
    this.personJson[user] = json;
    return json;
  }
}

function personJson(person: Person): string {
  const text = JSON.stringify({
    location: person.location,
    userAgent: person.userAgent,
    lastName: person.lastName,
    firstName: person.firstName,
    registration: person.registration * 1_000,
    gender: person.gender,
  });
  return `,${text.slice(1, -1)}`;
}
