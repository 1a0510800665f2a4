/** The users: drawn once, each from its own stream of random numbers. */
import { PSEUDO_USER_IDS, SECONDS_PER_DAY } from '../domain/events.ts';
import { AliasTable } from './alias-table.ts';
import { USER_CLASSES } from './classes.ts';
import { FAMILY_NAMES, FEMALE_NAMES, MALE_NAMES } from './names.ts';
import { PLACES } from './places.ts';
import { itemAt, Random } from './random.ts';
import { USER_AGENTS } from './user-agents.ts';
import type { StandingName } from './user-states.ts';

/** The attributes of a user that never change. */
export interface Person {
  readonly userId: number;
  readonly firstName: string;
  readonly lastName: string;
  readonly gender: 'F' | 'M';
  readonly location: string;
  readonly userAgent: string;
  /** Epoch seconds. */
  readonly registration: number;
}

/** The state of a user when the log begins. */
export interface Beginning {
  /** Index in USER_CLASSES. */
  readonly userClass: number;
  readonly standing: StandingName;
  /** Mean wait between two pages that are not songs. */
  readonly meanPageGapSeconds: number;
  /** Mean wait between sessions, in busy time. */
  readonly meanSessionGapSeconds: number;
  /** Seconds after the start of the log at which the wait for the first session begins. */
  readonly arrivalSecond: number;
  /** Whether the user is in the middle of a session when the log begins. */
  readonly isListening: boolean;
}

const MEDIAN_PAGE_GAP_SECONDS = 54.5;
const PAGE_GAP_SIGMA = 1;
const MEDIAN_SESSION_GAP_SECONDS = 4.75 * SECONDS_PER_DAY;
const SESSION_GAP_SIGMA = 0.95;
/** Length of membership when the log begins: most users joined in the months before it. */
const MEAN_MEMBERSHIP_SECONDS = 38 * SECONDS_PER_DAY;
const LISTENING_SHARE = 0.012;
const MALE_SHARE = 0.525;

/** Share of all users who arrive as guests in the log's first two months; half of them register within those months. */
const NEWCOMER_SHARE = 0.035;
const NEWCOMERS_ARRIVE_WITHIN_SECONDS = 58 * SECONDS_PER_DAY;
/** A newcomer registers within this time before or after the arrival: real logs have registrations after the first event too. */
const NEWCOMER_REGISTRATION_WITHIN_SECONDS = 15 * SECONDS_PER_DAY;

const FIRST_USER_ID = 2;
const PSEUDO_USERS = PSEUDO_USER_IDS.filter((id) => id !== '').map(Number);

/** Draws users. */
export class Population {
  private readonly seed: number;
  private readonly startSecond: number;
  private readonly classes = new AliasTable(USER_CLASSES.map(({ share }) => share));
  private readonly places = new AliasTable(PLACES.map(({ people }) => people));
  private readonly agents = new AliasTable(USER_AGENTS.map(({ users }) => users));

  /** `startSecond` is the midnight (epoch seconds, UTC) at which the log begins. */
  constructor(seed: number, startSecond: number) {
    this.seed = seed;
    this.startSecond = startSecond;
  }

  /** The user with this index, and the stream of random numbers from which the user's behaviour is drawn. */
  draw(index: number): { person: Person; beginning: Beginning; random: Random } {
    const random = new Random(this.seed, 'user', index);
    const userClass = this.classes.draw(random);
    const isNewcomer = random.happens(NEWCOMER_SHARE);
    const arrivalSecond = isNewcomer ? random.below(NEWCOMERS_ARRIVE_WITHIN_SECONDS) : 0;
    const paid = random.happens(itemAt(USER_CLASSES, userClass).paidAtStart);
    const beginning: Beginning = {
      userClass,
      standing: isNewcomer ? 'guest' : paid ? 'signed in paid' : 'signed in free',
      meanPageGapSeconds: random.logNormal(MEDIAN_PAGE_GAP_SECONDS, PAGE_GAP_SIGMA),
      meanSessionGapSeconds: random.logNormal(MEDIAN_SESSION_GAP_SECONDS, SESSION_GAP_SIGMA),
      arrivalSecond,
      isListening: !isNewcomer && random.happens(LISTENING_SHARE),
    };
    const gender = random.happens(MALE_SHARE) ? 'M' : 'F';
    const person: Person = {
      userId: userIdOf(index),
      firstName: random.pick(gender === 'M' ? MALE_NAMES : FEMALE_NAMES),
      lastName: random.pick(FAMILY_NAMES),
      gender,
      location: itemAt(PLACES, this.places.draw(random)).name,
      userAgent: itemAt(USER_AGENTS, this.agents.draw(random)).text,
      registration: this.startSecond + arrivalSecond + registrationShiftSeconds(isNewcomer, random),
    };
    return { person, beginning, random };
  }
}

/** Ids count upwards and skip the pseudo-user ids. */
function userIdOf(index: number): number {
  const id = index + FIRST_USER_ID;
  return id + PSEUDO_USERS.filter((pseudo) => pseudo <= id).length;
}

/** Seconds from arrival (or the start of the log) to registration. */
function registrationShiftSeconds(isNewcomer: boolean, random: Random): number {
  if (!isNewcomer) return -Math.round(random.exponential(MEAN_MEMBERSHIP_SECONDS));
  return random.below(2 * NEWCOMER_REGISTRATION_WITHIN_SECONDS) - NEWCOMER_REGISTRATION_WITHIN_SECONDS;
}
