/** EventBridge Scheduler's expressions, checked before they are deployed. */
import type { z } from 'zod';

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly names?: readonly string[];
  /** Letters that have a meaning of their own in this field. */
  readonly extra?: RegExp;
  /** Signs that have to be the only ones in the field. */
  readonly alone?: RegExp;
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** The six fields of cron(...), in order. */
const FIELDS: readonly Field[] = [
  { name: 'minutes', least: 0, most: 59 },
  { name: 'hours', least: 0, most: 23 },
  { name: 'day of month', least: 1, most: 31, extra: /^(L|LW|([1-9]|[12]\d|3[01])W)$/, alone: /^\?$/ },
  { name: 'month', least: 1, most: 12, names: MONTHS },
  { name: 'day of week', least: 1, most: 7, names: DAYS, extra: /^[1-7]?L$/, alone: /^(\?|[1-7]#[1-5])$/ },
  { name: 'year', least: 1970, most: 2199 },
];

/** Reports why an expression is not `cron(...)` or `rate(...)` as EventBridge Scheduler reads them. */
export function checkSchedule(expression: string, context: z.RefinementCtx): void {
  const problem = scheduleProblem(expression);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: `"${expression}": ${problem}` });
}

function scheduleProblem(expression: string): string | undefined {
  const [, kind, body = ''] = /^(cron|rate)\((.*)\)$/.exec(expression.trim()) ?? [];
  if (kind === undefined)
    return 'must be cron(minutes hours day-of-month month day-of-week year) or rate(value unit)';
  if (kind === 'rate') {
    return /^[1-9]\d* (minute|hour|day)s?$/.test(body)
      ? undefined
      : 'a rate is a number and minutes, hours or days, such as "7 days"';
  }
  const values = body.split(/\s+/);
  if (values.length !== FIELDS.length)
    return `a cron expression has ${FIELDS.length} fields, this one ${values.length}`;
  for (const [index, field] of FIELDS.entries()) {
    const problem = fieldProblem(values[index] ?? '', field);
    if (problem !== undefined) return problem;
  }
  if ((values[2] === '?') === (values[4] === '?'))
    return 'exactly one of day of month and day of week must be "?"';
  return undefined;
}

function fieldProblem(value: string, field: Field): string | undefined {
  const parts = value.toUpperCase().split(',');
  for (const part of parts) {
    if (field.alone?.test(part) === true) {
      if (parts.length > 1) return `"${part}" cannot be part of a list in ${field.name}`;
    } else if (field.extra?.test(part) !== true) {
      const [range = '', step, ...more] = part.split('/');
      if (more.length > 0 || (step !== undefined && !/^[1-9]\d*$/.test(step)) || !isRange(range, field))
        return `"${value}" is not a value for ${field.name}`;
      if (runsBackwards(range, field)) return `"${range}" runs backwards in ${field.name}: write two ranges`;
    }
  }
  return undefined;
}

function isRange(text: string, field: Field): boolean {
  if (text === '*') return true;
  const ends = text.split('-').map((end) => position(end, field));
  return ends.length <= 2 && ends.every((end) => end >= field.least && end <= field.most);
}

/** AWS does not document what a range means whose end comes first; two ranges are unambiguous. */
function runsBackwards(range: string, field: Field): boolean {
  const [first = '', last = first] = range.split('-');
  return position(first, field) > position(last, field);
}

function position(text: string, field: Field): number {
  const index = field.names?.indexOf(text) ?? -1;
  return index >= 0 ? index + field.least : /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

const HOURS = { minute: 1 / 60, hour: 1, day: 24 } as const;
const HOURS_PER_WEEK = 168;

/**
 * Longest time between two starts, in hours, rounded up to a day, a week, a month or a year for cron expressions.
 * @param expression one that `checkSchedule` accepts
 */
export function scheduleHours(expression: string): number {
  const [, value, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression.trim()) ?? [];
  if (unit === 'minute' || unit === 'hour' || unit === 'day') return Math.ceil(Number(value) * HOURS[unit]);
  const [, , dayOfMonth = '*', month = '*', dayOfWeek = '*'] = expression
    .replace(/^\s*cron\(|\)\s*$/g, '')
    .split(/\s+/);
  if (month !== '*') return 365 * HOURS.day;
  if (dayOfMonth !== '*' && dayOfMonth !== '?') return 31 * HOURS.day;
  if (dayOfWeek !== '*' && dayOfWeek !== '?')
    return dayOfWeek.includes('#') ? 31 * HOURS.day : HOURS_PER_WEEK;
  return HOURS.day;
}
