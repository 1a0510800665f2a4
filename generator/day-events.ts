/** The events of one day, stored in columns: about 21 bytes each, so that a day of many users fits into memory. */
import { SECONDS_PER_DAY } from '../domain/events.ts';

const FIRST_CAPACITY = 16_384;

/** One event as it is read back; the object is reused for the next event. */
export interface EventView {
  /** Seconds since the day's midnight. */
  second: number;
  /** Index of the user. */
  user: number;
  state: number;
  item: number;
  sessionId: number;
  /** Index of the song, or NO_SONG. */
  song: number;
}

/** Collects a day's events in any order and returns them ordered by time. */
export class DayEvents {
  private capacity = FIRST_CAPACITY;
  private seconds = new Uint32Array(FIRST_CAPACITY);
  private users = new Uint32Array(FIRST_CAPACITY);
  private states = new Uint8Array(FIRST_CAPACITY);
  private items = new Uint32Array(FIRST_CAPACITY);
  private sessionIds = new Uint32Array(FIRST_CAPACITY);
  private songs = new Int32Array(FIRST_CAPACITY);
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** Removes all events; the memory is kept for the next day. */
  clear(): void {
    this.count = 0;
  }

  add(second: number, user: number, state: number, item: number, sessionId: number, song: number): void {
    if (this.count === this.capacity) this.grow();
    const place = this.count++;
    this.seconds[place] = second;
    this.users[place] = user;
    this.states[place] = state;
    this.items[place] = item;
    this.sessionIds[place] = sessionId;
    this.songs[place] = song;
  }

  /** The events ordered by time; events of the same second stay in the order in which they were added. */
  *inOrder(): Generator<EventView, void> {
    const event: EventView = { second: 0, user: 0, state: 0, item: 0, sessionId: 0, song: 0 };
    for (const place of this.order()) {
      event.second = this.seconds[place] ?? 0;
      event.user = this.users[place] ?? 0;
      event.state = this.states[place] ?? 0;
      event.item = this.items[place] ?? 0;
      event.sessionId = this.sessionIds[place] ?? 0;
      event.song = this.songs[place] ?? 0;
      yield event;
    }
  }

  /** Positions ordered by second: a counting sort, because a day has few distinct seconds. */
  private order(): Uint32Array {
    const starts = new Uint32Array(SECONDS_PER_DAY + 1);
    for (let place = 0; place < this.count; place++) {
      const bucket = (this.seconds[place] ?? 0) + 1;
      starts[bucket] = (starts[bucket] ?? 0) + 1;
    }
    for (let second = 1; second <= SECONDS_PER_DAY; second++) {
      starts[second] = (starts[second] ?? 0) + (starts[second - 1] ?? 0);
    }
    const order = new Uint32Array(this.count);
    for (let place = 0; place < this.count; place++) {
      const second = this.seconds[place] ?? 0;
      const target = starts[second] ?? 0;
      order[target] = place;
      starts[second] = target + 1;
    }
    return order;
  }

  private grow(): void {
    this.capacity *= 2;
    this.seconds = grown(this.seconds, new Uint32Array(this.capacity));
    this.users = grown(this.users, new Uint32Array(this.capacity));
    this.states = grown(this.states, new Uint8Array(this.capacity));
    this.items = grown(this.items, new Uint32Array(this.capacity));
    this.sessionIds = grown(this.sessionIds, new Uint32Array(this.capacity));
    this.songs = grown(this.songs, new Int32Array(this.capacity));
  }
}

function grown<T extends Uint8Array | Uint32Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
