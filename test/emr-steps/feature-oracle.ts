/** Point-in-time rows worked out from the raw events, one event after the other, to hold the Spark step against. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const DAY = 86_400_000;
const HOUR = 3_600_000;
/** Events that trail behind a cancellation by up to half an hour are no return. */
const RETURN_AFTER = HOUR / 2;

/** A raw event, as far as the oracle looks. */
export interface RawEvent {
  readonly ts: number;
  readonly userId: string;
  readonly sessionId: number;
  readonly page: string;
  readonly auth: string;
  readonly level: string;
  readonly artist?: string;
  readonly gender?: string;
  readonly location?: string;
  readonly userAgent?: string;
  readonly registration?: number;
}

/** One row: a user as known at a cutoff. */
export interface OracleRow {
  readonly label: number;
  readonly features: Readonly<Record<string, number | null>>;
}

/** Every signed-in event of a folder of day files, by user and in order of time. */
export async function signedInEvents(folder: string): Promise<ReadonlyMap<string, readonly RawEvent[]>> {
  const users = new Map<string, RawEvent[]>();
  for (const name of await readdir(folder)) {
    for (const line of (await readFile(join(folder, name), 'utf8')).split('\n')) {
      if (line === '') continue;
      const event: RawEvent = JSON.parse(line);
      if (!['Logged In', 'Cancelled'].includes(event.auth)) continue;
      users.set(event.userId, [...(users.get(event.userId) ?? []), event]);
    }
  }
  for (const events of users.values()) events.sort((a, b) => a.ts - b.ts);
  return users;
}

/** The user's row at a cutoff, or undefined where there is none. Times in epoch milliseconds. */
export function rowAt(
  events: readonly RawEvent[],
  cutoff: number,
  firstDay: number,
  horizonDays: number,
): OracleRow | undefined {
  const known = events.filter((event) => event.ts < cutoff);
  const last = known.at(-1);
  const isCancellation = ({ page }: RawEvent): boolean => page === 'Cancellation Confirmation';
  const ended = known.findLast(isCancellation);
  if (last === undefined || (ended !== undefined && last.ts <= ended.ts + RETURN_AFTER)) return undefined;
  const returned = ended && known.find(({ ts }) => ts > ended.ts + RETURN_AFTER);
  return {
    label: events.some((event) => isCancellation(event) && inWindow(event, cutoff, horizonDays)) ? 1 : 0,
    features: {
      ...featuresAt(known, last, cutoff, firstDay),
      spells_before: known.filter(isCancellation).length,
      days_since_return: returned === undefined ? null : (cutoff - returned.ts) / DAY,
    },
  };
}

function inWindow({ ts }: RawEvent, cutoff: number, horizonDays: number): boolean {
  return ts >= cutoff && ts < cutoff + horizonDays * DAY;
}

function featuresAt(
  known: readonly RawEvent[],
  last: RawEvent,
  cutoff: number,
  firstDay: number,
): Record<string, number | null> {
  const day = (ts: number): number => Math.floor(ts / DAY);
  const within = (days: number): readonly RawEvent[] => known.filter(({ ts }) => ts >= cutoff - days * DAY);
  const count = (from: readonly RawEvent[], ...pages: readonly string[]): number =>
    from.filter(({ page }) => pages.includes(page)).length;
  const days = [...new Set(known.map(({ ts }) => day(ts)))];
  const registration = known.find((event) => event.registration !== undefined)?.registration;
  const firstSeen = Math.min(...days.map((seen) => seen * DAY));
  const couldBeSeenFrom = Math.max(firstDay, Math.min(firstSeen, registration ?? firstSeen));
  const observedDays = day(cutoff) - day(couldBeSeenFrom);
  const sessions = [...Map.groupBy(known, (event) => event.sessionId).values()];
  const begun = sessions.filter(([first]) => first !== undefined && first.ts >= cutoff - 7 * DAY);
  const sessionHours = sessions.flatMap((session) =>
    session
      .slice(1)
      .map((event, index) => ({ ts: event.ts, hours: (event.ts - (session[index]?.ts ?? 0)) / HOUR })),
  );
  const songs = known.filter(({ page }) => page === 'NextSong');
  const changes = known.filter(({ page }) => ['Submit Upgrade', 'Submit Downgrade'].includes(page));
  const changeDay = changes.at(-1);
  const changeDayEnd = known.findLast(({ ts }) => changeDay !== undefined && day(ts) === day(changeDay.ts));
  const perDay = (amount: number, length: number): number => amount / Math.min(observedDays, length);
  const monthlySongs = count(within(28), 'NextSong');
  return {
    events_last_3_days: within(3).length,
    songs_last_7_days: count(within(7), 'NextSong'),
    thumbs_up_last_14_days: count(within(14), 'Thumbs Up'),
    adverts_last_28_days: count(within(28), 'Roll Advert'),
    level_changes_last_28_days: count(within(28), 'Submit Upgrade', 'Submit Downgrade'),
    songs_per_day: songs.length / observedDays,
    thumbs_down_per_song: (count(known, 'Thumbs Down') + 1) / (songs.length + 80),
    adverts_per_free_song:
      (count(known, 'Roll Advert') + 2) / (songs.filter(({ level }) => level === 'free').length + 20),
    paid_events_per_event: known.filter(({ level }) => level === 'paid').length / known.length,
    active_days_last_14_days: new Set(within(14).map(({ ts }) => day(ts))).size,
    begun_sessions_last_7_days: begun.length,
    session_hours_last_28_days: sessionHours
      .filter(({ ts }) => ts >= cutoff - 28 * DAY)
      .reduce((sum, { hours }) => sum + hours, 0),
    events_per_session: known.length / sessions.length,
    songs_trend:
      monthlySongs === 0 ? null : perDay(count(within(7), 'NextSong'), 7) / perDay(monthlySongs, 28),
    longest_absence_days:
      days.length < 2 ? null : Math.max(...days.slice(1).map((seen, index) => seen - (days[index] ?? 0))),
    most_songs_in_a_day: within(28).length === 0 ? null : mostSongs(within(28)),
    artists: new Set(songs.map(({ artist }) => artist)).size,
    days_since_last_seen: (cutoff - last.ts) / DAY,
    tenure_days: registration === undefined ? null : Math.max(0, (cutoff - registration) / DAY),
    observed_days: observedDays,
    ...channels(known, cutoff),
    days_since_level_change: changeDayEnd === undefined ? null : (cutoff - changeDayEnd.ts) / DAY,
    is_paid: last.level === 'paid' ? 1 : 0,
    is_female: yes(known, 'gender', (gender) => gender === 'F'),
    in_south: yes(known, 'location', (location) => SOUTH.has(/, ([A-Z]{2})/.exec(location)?.[1] ?? '')),
    on_mac: yes(known, 'userAgent', (agent) => agent.includes('Macintosh')),
  };
}

/** Counts by which users are assigned to segments, all alike or each halved after every half-life of whole days. */
function channels(known: readonly RawEvent[], cutoff: number): Record<string, number> {
  const counted = (holds: (event: RawEvent) => boolean, halfLife: number): number =>
    known
      .filter(holds)
      .reduce((sum, { ts }) => sum + 0.5 ** (Math.floor((cutoff - 1 - ts) / DAY) / halfLife), 0);
  const on =
    (page: string, ...levels: readonly string[]) =>
    (event: RawEvent): boolean =>
      event.page === page && (levels.length === 0 || levels.includes(event.level));
  return {
    thumbs_down_ever: counted(on('Thumbs Down'), Number.POSITIVE_INFINITY),
    free_songs_ever: counted(on('NextSong', 'free'), Number.POSITIVE_INFINITY),
    free_adverts_half_life_28: counted(on('Roll Advert', 'free'), 28),
    paid_adverts_half_life_56: counted(on('Roll Advert', 'paid'), 56),
    paid_songs_half_life_28: counted(on('NextSong', 'paid'), 28),
    songs_half_life_56: counted(on('NextSong'), 56),
    downgrade_visits_half_life_28: counted(on('Downgrade'), 28),
    free_events_half_life_28: counted(({ level }) => level === 'free', 28),
  };
}

const SOUTH = new Set('AL AR DC DE FL GA KY LA MD MS NC OK SC TN TX VA WV'.split(' '));

function yes(
  known: readonly RawEvent[],
  trait: 'gender' | 'location' | 'userAgent',
  holds: (value: string) => boolean,
): number | null {
  const value = known.findLast((event) => event[trait] !== undefined)?.[trait];
  return value === undefined ? null : Number(holds(value));
}

function mostSongs(events: readonly RawEvent[]): number {
  const byDay = Map.groupBy(events, ({ ts }) => Math.floor(ts / DAY));
  return Math.max(...[...byDay.values()].map((day) => day.filter(({ page }) => page === 'NextSong').length));
}
