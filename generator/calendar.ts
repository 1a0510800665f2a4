/** When sessions start: more in the middle of a US day, fewer at weekends and on holidays. */
import { SECONDS_PER_DAY } from '../domain/events.ts';

/** Relative number of session starts in each hour (UTC) of a working day, as counted in the published logs. */
const STARTS_BY_HOUR = [
  100, 96, 87, 90, 90, 94, 93, 102, 103, 112, 130, 132, 173, 228, 295, 309, 230, 169, 147, 125, 111, 110, 94,
  90,
] as const;
/** Session starts on a day off, relative to a working day. */
const DAY_OFF_SHARE = 0.555;
const SECONDS_PER_HOUR = 3_600;
const WEEK_SHARE = (5 + 2 * DAY_OFF_SHARE) / 7;

/**
 * Translates between the clock and "busy time", which runs faster in busy hours: a memoryless wait in busy time becomes
 * a wait with realistic hours and weekdays on the clock. On average busy time runs as fast as the clock.
 */
export class Calendar {
  private readonly busySecondsAtHour: Float64Array;

  /** `startSecond` is the midnight (epoch seconds, UTC) at which the log begins. */
  constructor(startSecond: number, days: number) {
    const total = STARTS_BY_HOUR.reduce((sum, starts) => sum + starts, 0);
    this.busySecondsAtHour = new Float64Array(days * STARTS_BY_HOUR.length + 1);
    let busySeconds = 0;
    let hour = 0;
    for (let day = 0; day < days; day++) {
      const share = isDayOff(new Date((startSecond + day * SECONDS_PER_DAY) * 1_000)) ? DAY_OFF_SHARE : 1;
      for (const starts of STARTS_BY_HOUR) {
        busySeconds += (SECONDS_PER_DAY * starts * share) / total / WEEK_SHARE;
        this.busySecondsAtHour[++hour] = busySeconds;
      }
    }
  }

  /** The second (since the log's start) at which `busySeconds` of busy time have passed since `second`; Infinity if that is after the end of the log. */
  after(second: number, busySeconds: number): number {
    const hours = this.busySecondsAtHour.length - 1;
    if (second >= hours * SECONDS_PER_HOUR) return Number.POSITIVE_INFINITY;
    const startHour = Math.floor(second / SECONDS_PER_HOUR);
    const target = this.busyAt(startHour, second / SECONDS_PER_HOUR - startHour) + busySeconds;
    if (target >= (this.busySecondsAtHour[hours] ?? 0)) return Number.POSITIVE_INFINITY;
    let low = startHour;
    let high = hours;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((this.busySecondsAtHour[middle] ?? 0) <= target) low = middle;
      else high = middle;
    }
    const share = (target - this.busyAt(low, 0)) / (this.busyAt(high, 0) - this.busyAt(low, 0));
    return Math.floor((low + share) * SECONDS_PER_HOUR);
  }

  private busyAt(hour: number, shareOfHour: number): number {
    const start = this.busySecondsAtHour[hour] ?? 0;
    return start + shareOfHour * ((this.busySecondsAtHour[hour + 1] ?? start) - start);
  }
}

function isDayOff(date: Date): boolean {
  const weekday = date.getUTCDay();
  return weekday === 0 || weekday === 6 || isHoliday(date.getUTCMonth() + 1, date.getUTCDate(), weekday);
}

/** New Year, Independence Day, Thanksgiving, Christmas. */
function isHoliday(month: number, day: number, weekday: number): boolean {
  const isThanksgiving = month === 11 && weekday === 4 && day > 21 && day <= 28;
  return (
    isThanksgiving || (day === 1 && month === 1) || (day === 4 && month === 7) || (day === 25 && month === 12)
  );
}
