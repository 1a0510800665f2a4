/** A chart of shares of users who cancelled, one line a value, each with its interval. */
import { type ChartBook, COLOURS } from './charts.ts';
import { percent } from './format.ts';
import type { Html } from './html.ts';

/** Users with one value, and the share of them that cancelled. */
export interface Rate {
  readonly value: string;
  readonly users: number;
  readonly share: number;
  readonly low: number;
  readonly high: number;
  /** The share that a model predicted; a tick in the chart. */
  readonly predicted?: number;
}

export interface RatesChart {
  readonly id: string;
  /** What the values are of, for those who cannot see the chart. */
  readonly label: string;
  /** In the order in which they are shown. */
  readonly rates: readonly Rate[];
  /** The share of all users, as a dashed line. */
  readonly overall: number;
}

export function drawRates({ id, label, rates, overall }: RatesChart, book: ChartBook): Promise<Html> {
  const values = [...rates];
  const hasPredicted = rates.some(({ predicted }) => predicted !== undefined);
  const y = {
    field: 'value',
    type: 'nominal',
    sort: rates.map(({ value }) => value),
    axis: { title: null },
  } as const;
  const share = (field: keyof Rate, title: string) =>
    ({ field, title, type: 'quantitative', format: '.1%' }) as const;
  const tooltip = [
    { field: 'value', title: label.toLowerCase() },
    { field: 'users', title: 'users', type: 'quantitative', format: ',' },
    share('share', 'cancelled'),
    share('low', 'at least'),
    share('high', 'at most'),
    ...(hasPredicted ? [share('predicted', 'predicted')] : []),
  ] as const;
  return book.draw(
    id,
    {
      width: 260,
      height: { step: 20 },
      layer: [
        {
          data: { values: [{ overall }] },
          mark: { type: 'rule', color: COLOURS.neutral, strokeDash: [4, 4] },
          encoding: { x: { field: 'overall', type: 'quantitative' } },
        },
        {
          data: { values },
          mark: { type: 'rule', color: COLOURS.accent, strokeWidth: 2, opacity: 0.5 },
          encoding: {
            y,
            x: {
              field: 'low',
              type: 'quantitative',
              scale: { zero: true },
              axis: { title: 'share of users who cancelled', format: '.0%', tickCount: 5 },
            },
            x2: { field: 'high' },
            tooltip: [...tooltip],
          },
        },
        {
          data: { values },
          mark: { type: 'point', filled: true, size: 60, color: COLOURS.accent, opacity: 1 },
          encoding: { y, x: { field: 'share', type: 'quantitative' }, tooltip: [...tooltip] },
        },
        {
          // Of values without a prediction there is none to draw.
          data: { values: values.filter(({ predicted }) => predicted !== undefined) },
          mark: { type: 'tick', color: COLOURS.contrast, thickness: 2, height: 12 },
          encoding: { y, x: { field: 'predicted', type: 'quantitative' }, tooltip: [...tooltip] },
        },
      ],
    },
    `${label}: ${rates.map(({ value, share: own }) => `${value} ${percent(own)}`).join(', ')}`,
  );
}
