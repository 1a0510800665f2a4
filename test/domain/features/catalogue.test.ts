/** The requirements on the feature catalogue, and the table that is derived from it. */
import { describe, expect, it } from 'vitest';
import { FEATURES } from '../../../domain/features/catalogue.ts';
import { CHANNELS, channelColumn } from '../../../domain/features/channels.ts';
import { FEATURES_TABLE, SCORING_FEATURES_TABLE } from '../../../domain/features/features-table.ts';
import {
  COUNTERS,
  FEATURE_GROUPS,
  HALF_LIVES,
  type Measure,
  WINDOWS,
} from '../../../domain/features/measure.ts';
import { REGIONS } from '../../../domain/features/regions.ts';
import { PAGE_COUNTERS } from '../../../domain/lake.ts';

const measured = (holds: (measure: Measure) => boolean): readonly string[] =>
  FEATURES.filter((feature) => feature.readBy === undefined && holds(feature.measure)).map(
    ({ name }) => name,
  );

describe('the feature catalogue', () => {
  it('has at least forty features, each with a unique name, a known group and a description', () => {
    expect(FEATURES.length).toBeGreaterThanOrEqual(40);
    expect(new Set(FEATURES.map((feature) => feature.name)).size).toBe(FEATURES.length);
    const groups: readonly string[] = FEATURE_GROUPS.map((group) => group.name);
    for (const feature of FEATURES) {
      expect(groups, feature.name).toContain(feature.group);
      for (const text of [feature.label, feature.description, feature.unit])
        expect(text.trim(), feature.name).not.toBe('');
    }
    for (const group of groups)
      expect(
        FEATURES.some((feature) => feature.group === group),
        group,
      ).toBe(true);
  });

  it.each([
    'songs',
    'thumbs_up',
    'thumbs_down',
    'playlist_adds',
    'friend_adds',
    'adverts',
    'downgrade_visits',
  ])('counts %s over every window, and per observed day over the whole history', (counter) => {
    const windows = FEATURES.flatMap(({ measure, readBy }) =>
      readBy === undefined && measure.combine === 'sum' && measure.counter === counter
        ? [measure.window]
        : [],
    );
    expect(windows.sort()).toEqual([...WINDOWS].sort());
    expect(measured((measure) => measure.combine === 'per day' && measure.counter === counter)).toHaveLength(
      1,
    );
  });

  it('gives no model a sum over the whole history, because training sees short histories and scoring long ones', () => {
    // How often a user has cancelled says which spell this is; it does not grow with the days that were seen.
    expect(measured((measure) => measure.combine === 'sum' && measure.window === 'ever')).toEqual([
      'spells_before',
    ]);
  });

  it('lets models read neither how long a user was observed nor the counts of channels', () => {
    const inputs = FEATURES.filter(({ readBy }) => readBy === undefined).map(({ name }) => name);
    expect(inputs).not.toContain('observed_days');
    expect(inputs.filter((name) => /_ever$|_half_life_/.test(name))).toEqual([]);
  });

  it('has the count and the exposure of every channel with every half-life, for the segments alone', () => {
    const columns = HALF_LIVES.flatMap((halfLife) =>
      CHANNELS.flatMap(({ count, exposure }) => [
        channelColumn(count, halfLife),
        channelColumn(exposure, halfLife),
      ]),
    );
    const read = FEATURES.filter(({ readBy }) => readBy === 'segments').map(({ name }) => name);
    expect([...read].sort()).toEqual([...new Set(columns)].sort());
  });

  it('never reads the pages of cancelling, which would leak the label', () => {
    const answers: readonly string[] = PAGE_COUNTERS.filter(({ page }) => page.startsWith('Cancel')).map(
      ({ column }) => column,
    );
    expect(answers).toHaveLength(2);
    for (const { name, measure } of FEATURES)
      for (const answer of answers) expect(JSON.stringify(measure), name).not.toContain(answer);
    // Only spells that had ended before the present one are counted: a user whose spell has ended has no row.
    const derived: Readonly<Record<string, string>> = COUNTERS;
    const leaking = Object.keys(derived).filter((name) =>
      answers.some((answer) => derived[name]?.includes(answer)),
    );
    expect(leaking).toEqual(['ended_spells']);
    expect(measured((measure) => JSON.stringify(measure).includes('ended_spells'))).toEqual([
      'spells_before',
    ]);
  });

  it('exempts features that change with the age of the log from the drift alarm', () => {
    const exempt = FEATURES.filter((feature) => feature.drift === 'exempt').map((feature) => feature.name);
    expect(exempt).toEqual(
      expect.arrayContaining(['tenure_days', 'observed_days', 'artists', 'errors_per_day']),
    );
    const rates = measured((measure) => measure.combine === 'per day');
    expect(exempt).toEqual(expect.arrayContaining([...rates]));
    // Features over a window of the same length at every cutoff must be able to alarm.
    const windowed = measured((measure) => 'window' in measure && measure.window !== 'ever');
    expect(exempt.filter((name) => windowed.includes(name))).toEqual([]);
  });

  it('assigns each US state to exactly one region', () => {
    const states = REGIONS.flatMap((region) => region.states);
    expect(states).toHaveLength(51);
    expect(new Set(states).size).toBe(51);
  });
});

describe('the tables of features', () => {
  it('have the keys, the label where it is known, and a column with a description for each feature', () => {
    expect(FEATURES_TABLE.columns.map((column) => column.name)).toEqual([
      ...['user_id', 'cutoff', 'label'],
      ...FEATURES.map((feature) => feature.name),
    ]);
    expect(SCORING_FEATURES_TABLE.columns).toEqual(
      FEATURES_TABLE.columns.filter(({ name }) => name !== 'label'),
    );
    for (const column of FEATURES_TABLE.columns) expect(column.meaning, column.name).not.toBe('');
    expect(FEATURES_TABLE.partitionedBy).toEqual(['cutoff']);
  });
});
