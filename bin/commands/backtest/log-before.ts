/** SQL on a lake's events for a backtest: the log as it was on a day, and who cancelled afterwards. Pure functions. */
import { CHURN_EVENT } from '../../../domain/events.ts';
import { type Column, EVENTS } from '../../../domain/lake.ts';
import { addDays } from '../../../domain/time.ts';

const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;
const before = (day: string): string => `event_time < TIMESTAMP '${day} 00:00:00'`;

/** Writes the events before a day as a log with the raw columns. */
export function copyEventsBefore(day: string, file: string): string {
  const columns: readonly Column[] = EVENTS.columns;
  const raw = columns.flatMap(({ name, type, from }) => {
    if (from === undefined) return [];
    const value = type === 'timestamp_ntz' ? `epoch_ms(${name})` : name;
    return [`${value} AS ${JSON.stringify(from)}`];
  });
  return `COPY (SELECT ${raw.join(', ')} FROM ${EVENTS.name} WHERE ${before(day)}) TO ${text(file)} (FORMAT json)`;
}

/** First and last day of the events, and how many came before the day; one row. */
export function daysOfEvents(day: string): string {
  return (
    `SELECT CAST(min(event_date) AS VARCHAR) AS first_day, CAST(max(event_date) AS VARCHAR) AS last_day, ` +
    `count(*) FILTER (WHERE ${before(day)}) AS before FROM ${EVENTS.name}`
  );
}

/** Users who cancelled in the days from a day on. */
export function cancelledWithin(day: string, horizonDays: number): string {
  return (
    `SELECT DISTINCT user_id FROM ${EVENTS.name} WHERE page = ${text(CHURN_EVENT.page)} ` +
    `AND NOT (${before(day)}) AND ${before(addDays(day, horizonDays))}`
  );
}
