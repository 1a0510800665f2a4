/**
 * Compiles the catalogue to Spark SQL: one aggregate (user x cutoff) over the view `history`, and one projection
 * of it. `history` holds a user's days before a cutoff and nothing later, so no feature can see the future;
 * `age` is the number of days from a day to the cutoff, 1 for the day just before it.
 */

import { testSql } from './indicator-sql.ts';
import {
  COUNTERS,
  type Counter,
  type Feature,
  HALF_LIVES,
  type Measure,
  type Moment,
  type Window,
} from './measure.ts';
import { columnName, sqlNumber } from './sql.ts';

/** What one feature asks of the aggregate, by alias, and how its value is made from that. */
export interface CompiledMeasure {
  readonly aggregates: Readonly<Record<string, string>>;
  readonly expression: string;
}

/** The catalogue as SQL. */
export interface CompiledFeatures {
  /** SELECT over `history`: one row per user and cutoff. */
  readonly aggregate: string;
  /** SELECT over `aggregated`, the result of the former: the rows of the table. */
  readonly projection: string;
}

const LINE_CHARACTERS = 96;
/** Decayed counts are summed as whole numbers of such parts, so that their order cannot show in the last digits. */
const DECAY_PARTS = 2 ** 20;

/** Columns of `history`: what an event of the day weighs, in parts, by half-life. */
export const DECAYS: readonly { readonly column: string; readonly sql: string }[] = HALF_LIVES.flatMap(
  (halfLife) =>
    halfLife === 'none'
      ? []
      : [
          {
            column: decayColumn(halfLife),
            sql: `BIGINT(ROUND(${DECAY_PARTS} * POWER(0.5D, (DATEDIFF(cutoff, day) - 1) / ${halfLife})))`,
          },
        ],
);

/** What every row has, and what all rates per day divide by. */
const KEYS = ['user_id', 'cutoff', 'role', 'label'] as const;
/** Days of log in which the user could have been seen: since its first day, or since joining where that was later. */
const KNOWN_DAYS = 'DATEDIFF(cutoff, GREATEST(first_day, LEAST(MIN(day), DATE(MAX(registered_at)))))';

const MOMENTS: Readonly<Record<Moment, { readonly alias: string; readonly aggregate: string }>> = {
  last_event: { alias: 'last_event_at', aggregate: 'MAX(last_event_at)' },
  registration: { alias: 'latest_registered_at', aggregate: latest('registered_at') },
  level_change: {
    alias: 'level_changed_at',
    aggregate: 'MAX(IF(upgrades + downgrades > 0, last_event_at, NULL))',
  },
  return: { alias: 'latest_returned_at', aggregate: 'MAX(returned_at)' },
};

/**
 * Compiles a catalogue. Throws on a name that is not a column name, or that two features share, and where two measures
 * ask for different aggregates under one alias.
 * @param more columns behind those of the features, by name
 */
export function compileFeatures(
  features: readonly Feature[],
  more: Readonly<Record<string, CompiledMeasure>> = {},
): CompiledFeatures {
  const names = [...features.map(({ name }) => name), ...Object.keys(more)].map(columnName);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) throw new Error(`two features are called "${repeated}": rename one`);
  const compiled = [...features.map(({ measure }) => compileMeasure(measure)), ...Object.values(more)];
  const aggregates = sharedAggregates([
    { known_days: KNOWN_DAYS },
    ...compiled.map((part) => part.aggregates),
  ]);
  return {
    aggregate: [
      'SELECT',
      ...KEYS.map((key) => `  ${key},`),
      [...aggregates].map(([alias, sql]) => `  ${sql} AS ${alias}`).join(',\n'),
      'FROM history',
      `GROUP BY ${KEYS.join(', ')}, first_day`,
    ].join('\n'),
    projection: [
      'SELECT',
      ...KEYS.map((key) => `  ${key},`),
      compiled.map((part, index) => projected(part.expression, names[index] ?? '')).join(',\n'),
      'FROM aggregated',
    ].join('\n'),
  };
}

/** All aggregates by alias: features share those that are equal. Throws where one alias is given to two. */
export function sharedAggregates(
  parts: readonly Readonly<Record<string, string>>[],
): ReadonlyMap<string, string> {
  const shared = new Map<string, string>();
  for (const [alias, sql] of parts.flatMap((part) => Object.entries(part))) {
    const other = shared.get(alias);
    if (other !== undefined && other !== sql) {
      throw new Error(
        `two aggregates are called "${alias}": ${other} and ${sql}; give them different aliases in compileMeasure`,
      );
    }
    shared.set(alias, sql);
  }
  return shared;
}

/** Compiles one measure. */
export function compileMeasure(measure: Measure): CompiledMeasure {
  switch (measure.combine) {
    case 'sum': {
      const sum = summed(measure.counter, measure.window);
      return { aggregates: sum.aggregates, expression: sum.alias };
    }
    case 'max': {
      const alias = columnName(`most_${measure.counter}_${windowSuffix(measure.window)}`);
      return {
        aggregates: { [alias]: `MAX(${within(measure.window, counterSql(measure.counter))})` },
        expression: alias,
      };
    }
    case 'per day': {
      const sum = summed(measure.counter, measure.window);
      return { aggregates: sum.aggregates, expression: `${sum.alias} / ${daysOf(measure.window)}` };
    }
    case 'ratio': {
      const of = summed(measure.of, measure.window);
      const per = summed(measure.per, measure.window);
      const prior = measure.prior;
      return {
        aggregates: { ...of.aggregates, ...per.aggregates },
        expression:
          prior === undefined
            ? `${of.alias} / NULLIF(${per.alias}, 0)`
            : `(${of.alias} + ${sqlNumber(prior.of)}) / (${per.alias} + ${sqlNumber(prior.per)})`,
      };
    }
    case 'trend': {
      const recent = summed(measure.counter, measure.recent);
      const usual = summed(measure.counter, measure.usual);
      return {
        aggregates: { ...recent.aggregates, ...usual.aggregates },
        expression:
          `${recent.alias} / ${daysOf(measure.recent)}` +
          ` / NULLIF(${usual.alias} / ${daysOf(measure.usual)}, 0)`,
      };
    }
    case 'decayed sum': {
      const alias = columnName(`${measure.counter}_${decayColumn(measure.halfLife)}`);
      const sql = counterSql(measure.counter);
      return {
        aggregates: { [alias]: `SUM((${sql}) * ${decayColumn(measure.halfLife)})` },
        expression: `${alias} / ${DECAY_PARTS}`,
      };
    }
    case 'distinct': {
      const alias = columnName(`${measure.sketch}_${windowSuffix(measure.window)}`);
      return {
        aggregates: { [alias]: `HLL_UNION_AGG(${within(measure.window, measure.sketch)})` },
        expression: `HLL_SKETCH_ESTIMATE(${alias})`,
      };
    }
    case 'days since': {
      const { alias, aggregate } = MOMENTS[measure.moment];
      return {
        aggregates: { [alias]: aggregate },
        // A comparison with null is not true, so a moment that never came stays missing.
        expression: `IF(${alias} >= cutoff, 0, TIMESTAMPDIFF(SECOND, ${alias}, cutoff) / 86400)`,
      };
    }
    case 'observed days':
      return { aggregates: {}, expression: 'known_days' };
    case 'indicator': {
      const alias = columnName(`latest_${measure.trait}`);
      return {
        aggregates: { [alias]: latest(measure.trait) },
        expression: `INT(${testSql(alias, measure.test)})`,
      };
    }
  }
}

/** One column of the projection; its name goes to a line of its own where the expression is long. */
function projected(expression: string, name: string): string {
  const lines = `DOUBLE(${expression})`.split('\n');
  const fits = (lines.at(-1) ?? '').length + name.length <= LINE_CHARACTERS;
  return `  ${lines.join('\n')}${fits ? ' ' : '\n    '}AS ${name}`;
}

function counterSql(counter: Counter): string {
  const derived: Readonly<Record<string, string>> = COUNTERS;
  return derived[counter] ?? columnName(counter);
}

function summed(
  counter: Counter,
  window: Window,
): { readonly alias: string; readonly aggregates: Readonly<Record<string, string>> } {
  const alias = columnName(`${counter}_${windowSuffix(window)}`);
  const sql = counterSql(counter);
  const aggregate = window === 'ever' ? `SUM(${sql})` : `SUM(${within(window, sql, '0')})`;
  return { alias, aggregates: { [alias]: aggregate } };
}

function decayColumn(halfLife: number): string {
  return `decay_${halfLife}`;
}

function within(window: Window, sql: string, otherwise = 'NULL'): string {
  return window === 'ever' ? sql : `IF(age <= ${window}, ${sql}, ${otherwise})`;
}

function windowSuffix(window: Window): string {
  return window === 'ever' ? 'ever' : `${window}d`;
}

function daysOf(window: Window): string {
  return window === 'ever' ? 'known_days' : `LEAST(known_days, ${window})`;
}

/** Value on the latest day on which there is one: MAX_BY skips days whose ordering value is null. */
function latest(column: string): string {
  return `MAX_BY(${column}, IF(${column} IS NULL, NULL, day))`;
}
