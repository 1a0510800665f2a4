/** The feature compiler: one aggregate, one projection, nothing from the future, and values stay values. */
import { describe, expect, it } from 'vitest';
import { FEATURES } from '../../../domain/features/catalogue.ts';
import { compileFeatures, compileMeasure, sharedAggregates } from '../../../domain/features/compile.ts';
import type { Feature, Measure } from '../../../domain/features/measure.ts';
import { sqlString } from '../../../domain/features/sql.ts';

const feature = (name: string, measure: Measure): Feature => ({
  name,
  label: name,
  description: name,
  unit: 'events',
  words: { kind: 'amount', one: 'event', many: 'events' },
  group: 'activity',
  measure,
  scale: 'linear',
  fill: 0,
  drift: 'alarm',
});
const SONGS: Measure = { combine: 'sum', counter: 'songs', window: 7 };

describe('compileMeasure', () => {
  it.each<[string, Measure, string, string]>([
    ['a sum', SONGS, 'SUM(IF(age <= 7, songs, 0))', 'songs_7d'],
    [
      'a derived counter',
      { combine: 'sum', counter: 'free_songs', window: 28 },
      'SUM(IF(age <= 28, songs - paid_songs, 0))',
      'free_songs_28d',
    ],
    [
      'a largest value',
      { combine: 'max', counter: 'songs', window: 28 },
      'MAX(IF(age <= 28, songs, NULL))',
      'most_songs_28d',
    ],
    [
      'a rate over the whole history',
      { combine: 'per day', counter: 'songs', window: 'ever' },
      'SUM(songs)',
      'songs_ever / known_days',
    ],
    [
      'distinct artists',
      { combine: 'distinct', sketch: 'artist_sketch', window: 28 },
      'HLL_UNION_AGG(IF(age <= 28, artist_sketch, NULL))',
      'HLL_SKETCH_ESTIMATE(artist_sketch_28d)',
    ],
  ])('compiles %s', (_, measure, aggregate, expression) => {
    const compiled = compileMeasure(measure);
    expect(Object.values(compiled.aggregates)).toEqual([aggregate]);
    expect(compiled.expression).toBe(expression);
  });

  it('divides by a prior if there is one, and never by 0', () => {
    const ratio = { combine: 'ratio', of: 'adverts', per: 'free_songs', window: 'ever' } as const;
    expect(compileMeasure(ratio).expression).toBe('adverts_ever / NULLIF(free_songs_ever, 0)');
    expect(compileMeasure({ ...ratio, prior: { of: 2, per: 20 } }).expression).toBe(
      '(adverts_ever + 2) / (free_songs_ever + 20)',
    );
    expect(() => compileMeasure({ ...ratio, prior: { of: Number.NaN, per: 1 } })).toThrow('finite');
  });
});

describe('compileFeatures', () => {
  const whole = compileFeatures(FEATURES);

  it('makes one aggregating and one projecting SELECT, and one column per feature', () => {
    for (const sql of [whole.aggregate, whole.projection]) expect(sql.match(/\bSELECT\b/g)).toHaveLength(1);
    for (const { name } of FEATURES) expect(whole.projection).toMatch(new RegExp(`AS ${name}(,|\\n)`));
  });

  it('reads only days of the history before a cutoff', () => {
    expect(whole.aggregate).toContain('\nFROM history\n');
    expect(whole.projection.endsWith('\nFROM aggregated')).toBe(true);
    // Cancellations before the present spell are no answer; all others are.
    expect(whole.aggregate.replace('SUM(cancellations) AS ended_spells_ever', '')).not.toMatch(
      /age *(<|<=) *0|cancelled_on|cancellations/,
    );
  });

  it('computes each sum once, however many features use it', () => {
    const { aggregate } = compileFeatures([
      feature('one', SONGS),
      feature('two', { combine: 'trend', counter: 'songs', recent: 7, usual: 28 }),
    ]);
    expect(aggregate.match(/AS songs_7d/g)).toHaveLength(1);
  });

  it.each(['songs; DROP TABLE features', 'a"""b', 'Songs', '1st', '', 'a b'])(
    'refuses %j as the name of a feature',
    (name) => {
      expect(() => compileFeatures([feature(name, SONGS)])).toThrow('is not a column name');
    },
  );

  it('refuses two features with the same name', () => {
    expect(() => compileFeatures([feature('same', SONGS), feature('same', SONGS)])).toThrow(
      'two features are called "same"',
    );
  });

  it('keeps hostile values inside SQL literals', () => {
    const hostile = `x') OR 1=1 -- \\' """`;
    const tests: readonly Measure[] = [
      { combine: 'indicator', trait: 'level', test: { kind: 'equals', value: hostile } },
      { combine: 'indicator', trait: 'user_agent', test: { kind: 'contains', texts: [hostile, 'b'] } },
      { combine: 'indicator', trait: 'location', test: { kind: 'state in', states: [hostile] } },
    ];
    for (const measure of tests) {
      const { expression } = compileMeasure(measure);
      expect(expression).toContain(sqlString(hostile));
      const withoutLiterals = expression.replaceAll(/'(?:[^'\\]|\\.)*'/g, '');
      expect(withoutLiterals).not.toMatch(/'|--|1=1/);
    }
  });
});

describe('sharedAggregates', () => {
  it('keeps an aggregate once that several features ask for', () => {
    const songs = compileMeasure(SONGS).aggregates;
    expect([...sharedAggregates([songs, { known_days: '1' }, songs])]).toEqual([
      ['songs_7d', 'SUM(IF(age <= 7, songs, 0))'],
      ['known_days', '1'],
    ]);
  });

  it('refuses two different aggregates under one alias, and names both', () => {
    expect(() => sharedAggregates([{ songs_7d: 'SUM(songs)' }, { songs_7d: 'MAX(songs)' }])).toThrow(
      'two aggregates are called "songs_7d": SUM(songs) and MAX(songs)',
    );
  });
});
