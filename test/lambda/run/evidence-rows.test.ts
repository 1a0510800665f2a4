/** Rows of the tables of evidence: the columns of their tables, and what the steps have found. */
import { beforeAll, describe, expect, it } from 'vitest';
import { EVIDENCE_TABLES, type EvidenceTableName } from '../../../domain/lake.ts';
import { EVIDENCE_ROWS } from '../../../domain/lake-objects.ts';
import type { TrainedDetail } from '../../../domain/records.ts';
import { evidenceRows } from '../../../lambda/run/evidence-rows.ts';
import type { MemoryPorts } from '../../support/memory-ports.ts';
import { at } from '../../support/run-fixture.ts';
import { storedRun } from '../../support/stored-run.ts';

describe('what a run has found out', () => {
  let ports: MemoryPorts;
  let detail: TrainedDetail;

  beforeAll(async () => {
    ({ ports, detail } = await storedRun());
  });

  it('is stored by run, in rows with the columns of their tables', () => {
    for (const { name, columns } of EVIDENCE_TABLES) {
      const text = ports.objects.text(at(EVIDENCE_ROWS[name].of('run-1').key)) ?? '';
      const reading = EVIDENCE_ROWS[name].format.read(text);
      if (!reading.isValid) throw new Error(`${name} ${reading.problem}`);
      expect(reading.value.length, name).toBeGreaterThan(0);
      for (const row of reading.value) {
        expect(Object.keys(row), name).toEqual(columns.map((column) => column.name));
        expect(row.run_id).toBe('run-1');
      }
    }
  });

  const rowsOf = (table: EvidenceTableName) => evidenceRows(detail)[table];

  it('has segments by number and name, with a row for each channel', () => {
    const rows = rowsOf('segments').filter(({ segment }) => segment === 2);
    expect(rows).toHaveLength(6);
    expect(rows[1]).toMatchObject({
      name: 'dislikes three times as often as usual, looks at Downgrade twice as often as usual',
      size: 0.3,
      free_hazard: 0.09,
      channel: 'thumbs down per song',
      rate: 0.034,
      usual_rate: 0.0172,
    });
  });

  it('has groups with rates and intervals, quantiles of measures, pages and days of the week', () => {
    const rows = rowsOf('exploration');
    const free = rows.find(({ name, value }) => name === 'level' && value === 'free');
    expect(free).toMatchObject({ kind: 'group', churned: 120, stayed: 480, rate: 0.2 });
    expect(free?.low).toBeCloseTo(0.17, 3);
    expect(free?.high).toBeCloseTo(0.2339, 3);
    expect(rows.find(({ name, value }) => name === 'sessions_per_week' && value === '0.5')).toMatchObject({
      kind: 'measure',
      churned: 1,
      stayed: 0.5,
      rate: null,
    });
    expect(rows.find(({ kind, name }) => kind === 'hour' && name === '23')).toMatchObject({
      churned: 23 / 276,
      stayed: 1 / 24,
    });
    expect(new Set(rows.map(({ kind }) => kind))).toEqual(
      new Set(['group', 'measure', 'page', 'weekday', 'hour']),
    );
  });

  it('has the days of every survival curve', () => {
    expect(rowsOf('survival')).toHaveLength(60);
    expect(rowsOf('survival')[0]).toMatchObject({
      variable: 'all',
      value: 'all',
      users: 400,
      day: 7,
      at_risk: 395,
    });
  });

  it('has the hazard of every kind of day with its interval, and none where nobody was at risk', () => {
    const rows = rowsOf('hazards');
    expect(rows).toHaveLength(14);
    expect(rows[0]).toMatchObject({
      variable: 'weekday',
      value: 'Monday',
      users: 1_100,
      days: 8_000,
      hazard: 0.0025,
    });
    // Exact Poisson limits of 20: 12.217 and 30.888.
    expect(Number(rows[0]?.low) * 8_000).toBeCloseTo(12.217, 3);
    expect(Number(rows[0]?.high) * 8_000).toBeCloseTo(30.888, 3);
    expect(rows.find(({ value }) => value === 'same day')).toMatchObject({
      days: 0,
      hazard: null,
      low: null,
      high: null,
    });
  });

  it('has each feature in which a sample is compared with the other users', () => {
    const rows = rowsOf('homogeneity');
    expect(rows).toHaveLength(12);
    expect(rows[0]).toEqual({
      run_id: 'run-1',
      ...{ sample: 'one_percent', users: 200, others: 19_800, cancelled: 9, feature: 'label' },
      ...{
        test: 'fisher_exact',
        distance: 0.01,
        p_value: 0.04,
        adjusted_p_value: 0.24,
        smallest_found: 0.15,
      },
    });
  });

  it('has what drives the chosen model, and who cancels across the range of each feature', () => {
    expect(rowsOf('drivers').map(({ model, kind, name, fall }) => [model, kind, name, fall])).toEqual([
      ['boosted_trees', 'group', 'enjoyment', 0.08],
      ['boosted_trees', 'group', 'adverts', 0.04],
      ['boosted_trees', 'group', 'device', -0.001],
      ['boosted_trees', 'feature', 'thumbs_down_per_song_last_28_days', 0.06],
      ['boosted_trees', 'feature', 'is_paid', 0.02],
      ['boosted_trees', 'feature', 'days_since_level_change', 0.01],
    ]);
    const missing = rowsOf('feature_ranges').find(({ lowest }) => lowest === null);
    expect(missing).toMatchObject({ feature: 'days_since_level_change', band: 3, users: 800, rate: 0.035 });
  });

  it('is nothing where nothing was trained, and leaves no object then', async () => {
    for (const rows of Object.values(evidenceRows({ ...detail, training: null }))) expect(rows).toEqual([]);
    const older = { ...detail.training, segments: [], exploration: null, drivers: null, homogeneity: null };
    for (const rows of Object.values(evidenceRows({ ...detail, training: older }))) expect(rows).toEqual([]);
  });
});
