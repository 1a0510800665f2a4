/** A user's life as a state machine that can be paused at any midnight and continued. */
import { SECONDS_PER_DAY } from '../domain/events.ts';
import type { Calendar } from './calendar.ts';
import type { DayEvents } from './day-events.ts';
import type { Beginning } from './population.ts';
import type { Random } from './random.ts';
import type { SongLengths } from './songs.ts';
import { SESSION_END, type Transitions } from './transitions.ts';
import { STATES, type StandingName, stateNumber } from './user-states.ts';

/** The shortest time between two sessions. */
const SHORTEST_SESSION_GAP_SECONDS = 1_800;
const REDIRECT_SECONDS = 1;
/** How far into a session a user can be when the log begins. */
const LARGEST_FIRST_ITEM = 150;
const FIRST_SONG_WITHIN_SECONDS = 300;
/** Stands for "not a song". */
export const NO_SONG = -1;

const SONG_STATES = new Set([
  stateNumber('signed in free', 'NextSong'),
  stateNumber('signed in paid', 'NextSong'),
]);
const IS_SONG = STATES.map((_, state) => SONG_STATES.has(state));
const IS_REDIRECT = STATES.map(({ status }) => status === 307);
const IS_CANCELLED = STATES.map(({ auth }) => auth === 'Cancelled');

/** What all users share. */
export interface World {
  readonly calendar: Calendar;
  readonly songs: SongLengths;
  /** The next free session number, for the user with this index. */
  readonly nextSessionId: (user: number) => number;
}

/** One user, always positioned just before the next event. */
export class UserSimulation {
  private readonly index: number;
  private readonly random: Random;
  private readonly transitions: Transitions;
  private readonly world: World;
  private readonly meanPageGapSeconds: number;
  private readonly meanSessionGapSeconds: number;
  /** Time of the next event, in seconds from the start of the log; Infinity if there are no more events. */
  private second: number;
  private state: number;
  private item = 0;
  private song = NO_SONG;
  /** Assigned when the session's first event is due, so that numbers follow time. */
  private sessionId: number | undefined;
  /** When the song that was started last ends; undefined if none was started in this session. */
  private songEndSecond: number | undefined;

  constructor(index: number, beginning: Beginning, random: Random, transitions: Transitions, world: World) {
    this.index = index;
    this.random = random;
    this.world = world;
    this.transitions = transitions;
    this.meanPageGapSeconds = beginning.meanPageGapSeconds;
    this.meanSessionGapSeconds = beginning.meanSessionGapSeconds;
    this.state = transitions.atStart(beginning.standing, random);
    if (beginning.isListening) {
      this.second = random.below(FIRST_SONG_WITHIN_SECONDS);
      this.item = 1 + random.below(LARGEST_FIRST_ITEM);
    } else {
      this.second = world.calendar.after(
        beginning.arrivalSecond,
        random.exponential(this.meanSessionGapSeconds),
      );
    }
    this.startSongIfAny();
  }

  /** Adds the user's events of one day; days must come in order. */
  advance(day: number, events: Pick<DayEvents, 'add'>): void {
    const midnight = day * SECONDS_PER_DAY;
    while (this.second < midnight + SECONDS_PER_DAY) {
      this.sessionId ??= this.world.nextSessionId(this.index);
      events.add(this.second - midnight, this.index, this.state, this.item, this.sessionId, this.song);
      this.step();
    }
  }

  private step(): void {
    if (IS_CANCELLED[this.state] === true) {
      this.second = Number.POSITIVE_INFINITY;
      return;
    }
    const next = this.transitions.after(this.state, this.random);
    if (next === SESSION_END) {
      this.startSession();
      return;
    }
    this.second = this.timeOf(next);
    this.state = next;
    this.item++;
    this.startSongIfAny();
  }

  /** When a state is reached: redirects at once, the next song when the last one ends, all others after a memoryless wait. */
  private timeOf(next: number): number {
    if (IS_REDIRECT[next] === true) return this.second + REDIRECT_SECONDS;
    if (IS_SONG[next] === true && this.songEndSecond !== undefined && this.second < this.songEndSecond) {
      return this.songEndSecond;
    }
    return this.second + Math.floor(this.random.exponential(this.meanPageGapSeconds));
  }

  private startSession(): void {
    const standing: StandingName = STATES[this.state]?.standing ?? 'guest';
    this.second = this.world.calendar.after(
      this.second + SHORTEST_SESSION_GAP_SECONDS,
      this.random.exponential(this.meanSessionGapSeconds),
    );
    this.state = this.transitions.atStart(standing, this.random);
    this.item = 0;
    this.sessionId = undefined;
    this.songEndSecond = undefined;
    this.startSongIfAny();
  }

  private startSongIfAny(): void {
    if (IS_SONG[this.state] !== true) {
      this.song = NO_SONG;
      return;
    }
    this.song = this.world.songs.draw(this.random);
    this.songEndSecond = this.second + Math.floor(this.world.songs.lengthSeconds(this.song));
  }
}
