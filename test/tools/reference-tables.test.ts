import { describe, expect, it } from 'vitest';
import { METRICS } from '../../domain/models.ts';
import { requestShape } from '../../domain/request-fields.ts';
import { metricsTable, requestFieldsTable } from '../../tools/docs/reference-tables.ts';

/** The cells of each line but the one below the headings. */
function cells(table: string): string[][] {
  const lines = table.split('\n').map((line) => line.slice(2, -2).split(' | '));
  return lines.filter((_line, index) => index !== 1);
}

describe('the table of request fields', () => {
  const [headings = [], ...rows] = cells(requestFieldsTable());

  it('has a row for each field, with as many cells as headings', () => {
    expect(headings).toEqual(['field', 'option', 'value', 'default', 'meaning']);
    expect(rows.map(([field]) => field)).toEqual(Object.keys(requestShape).map((name) => `\`${name}\``));
    for (const row of rows) expect(row).toHaveLength(headings.length);
  });

  it('shows bounds, the default in the settings, and what must stand alone', () => {
    expect(rows[2]).toEqual([
      '`horizonDays`',
      '`--horizon-days <number>`',
      '1 to 60',
      "the deployment's setting (14 unless configured)",
      'how many days ahead cancellations are predicted',
    ]);
    expect(rows.find(([field]) => field === '`resume`')?.at(-1)).toMatch(
      /; no other field may be given with it$/,
    );
  });
});

describe('the table of metrics', () => {
  const [headings = [], ...rows] = cells(metricsTable());

  it('has a row for each metric, with as many cells as headings', () => {
    expect(rows.map(([metric]) => metric)).toEqual(METRICS.map(({ name }) => `\`${name}\``));
    for (const row of rows) expect(row).toHaveLength(headings.length);
  });

  it('shows how a metric reads, where it is shown and what it decides', () => {
    expect(rows[1]).toEqual([
      '`average_precision`',
      'Average precision',
      'area under the precision-recall curve, as a step function',
      'higher is better',
      '3',
      'terminal',
      'whether the chosen model beats the baselines',
    ]);
    expect(rows.find(([metric]) => metric === '`log_loss`')?.at(-1)).toBe(
      'which candidate is chosen (out-of-fold)',
    );
    expect(rows.find(([metric]) => metric === '`brier_skill`')?.[4]).toBe('1, in percent');
  });
});
