/** Who the users are: drawn once, each from a stream of random numbers of its own. */
import { PSEUDO_USER_IDS, SECONDS_PER_DAY } from '../domain/events.ts';
import { AliasTable } from './alias-table.ts';
import { USER_CLASSES } from './classes.ts';
import { FAMILY_NAMES, FEMALE_NAMES, MALE_NAMES } from './names.ts';
import { PLACES } from './places.ts';
import { itemAt, Random } from './random.ts';
import { USER_AGENTS } from './user-agents.ts';
import type { StandingName } from './user-states.ts';

/** What does not change about a user. */
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

/** How a user is when the log begins. */
export interface Beginning {
  /** Place in USER_CLASSES. */
  readonly userClass: number;
  readonly standing: StandingName;
  /** Mean wait between two pages that are not songs. */
  readonly meanPageGapSeconds: number;
  /** Mean wait between sessions, in busy time. */
  readonly meanSessionGapSeconds: number;
  /** Seconds after the log's start from which the wait for the first session counts. */
  readonly arrivalSecond: number;
  /** Whether the user is in the middle of a session when the log begins. */
  readonly isListening: boolean;
}

const MEDIAN_PAGE_GAP_SECONDS = 54.5;
const PAGE_GAP_SIGMA = 1;
const MEDIAN_SESSION_GAP_SECONDS = 4.75 * SECONDS_PER_DAY;
const SESSION_GAP_SIGMA = 0.95;
/** Memberships when the log begins: most users came in the last months. */
const MEAN_MEMBERSHIP_SECONDS = 38 * SECONDS_PER_DAY;
const LISTENING_SHARE = 0.012;
const MALE_SHARE = 0.525;

/** Of all users, those who come as guests in the log's first two months; half of them register before those are over. */
const NEWCOMER_SHARE = 0.035;
const NEWCOMERS_ARRIVE_WITHIN_SECONDS = 58 * SECONDS_PER_DAY;
/** A newcomer's registration lies within this of the arrival, on either side: real logs have it after the first event, too. */
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

  /** The user with this index, and the stream of random numbers from which the user's doings shall be drawn. */
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

/** Ids count upwards and leave out the one that stands for nobody. */
function userIdOf(index: number): number {
  const id = index + FIRST_USER_ID;
  return id + PSEUDO_USERS.filter((pseudo) => pseudo <= id).length;
}

/** From arrival (or the log's start) to registration. */
function registrationShiftSeconds(isNewcomer: boolean, random: Random): number {
  if (!isNewcomer) return -Math.round(random.exponential(MEAN_MEMBERSHIP_SECONDS));
  return random.below(2 * NEWCOMER_REGISTRATION_WITHIN_SECONDS) - NEWCOMER_REGISTRATION_WITHIN_SECONDS;
}
