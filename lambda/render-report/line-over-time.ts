/** A figure over time: a line with a point for each run, and bars for its interval. */
import type { TopLevelSpec } from 'vega-lite';
import { type ChartBook, COLOURS } from './charts.ts';
import type { Html } from './html.ts';

export interface TimedFigure {
  /** A day or a moment, ISO 8601. */
  readonly at: string;
  readonly run: string;
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
  /** What happened then, where something did: such a point is marked. */
  readonly event?: string;
}

export interface LineOverTime {
  readonly id: string;
  readonly title: string;
  /** Of the figure, as Vega writes formats. */
  readonly format: string;
  readonly values: readonly TimedFigure[];
  /** What the chart shows, for readers who cannot see it. */
  readonly description: string;
}

/**
 * Of more runs than this the picture has a band instead of bars, and no dots: they would touch one another. The living chart has
 * them, for its tooltips.
 */
const MOST_DOTS = 100;

/** How intervals are drawn: one by one, or as a band. */
const interval = (single: boolean) =>
  single ? ({ type: 'rule', opacity: 0.5 } as const) : ({ type: 'area', opacity: 0.2 } as const);

export function lineOverTime(
  book: ChartBook,
  { id, title, format, values, description }: LineOverTime,
): Promise<Html> {
  const x = {
    field: 'at',
    type: 'temporal',
    // Points at the ends are not cut off.
    scale: { type: 'utc', padding: 8 },
    axis: { title: null, tickCount: 4, format: '%d %b %y' },
  } as const;
  const y = {
    field: 'value',
    type: 'quantitative',
    axis: { title: null, tickCount: 4, format },
  } as const;
  const rows = values.map(({ at, run, value, low, high, event }) => ({
    ...{ at, run, value },
    ...(low === null || high === null ? {} : { low, high }),
    ...(event === undefined ? {} : { event }),
  }));
  const tooltip = [
    { field: 'run', title: 'run' },
    { field: 'value', title, type: 'quantitative', format },
  ] as const;
  const band = { x, y: { field: 'low', type: 'quantitative' }, y2: { field: 'high' } } as const;
  const spec = (single: boolean): TopLevelSpec => ({
    width: 400,
    height: 150,
    data: { values: rows },
    layer: [
      ...(values.some(({ low }) => low !== null)
        ? [{ mark: { ...interval(single), color: COLOURS.accent }, encoding: band }]
        : []),
      {
        params: [{ name: 'period', select: { type: 'interval', encodings: ['x'] }, bind: 'scales' }],
        mark: {
          type: 'line',
          color: COLOURS.accent,
          point: single && { filled: true, color: COLOURS.accent, size: 50 },
        },
        encoding: {
          x,
          y,
          tooltip: [...tooltip],
        },
      },
      ...(values.some(({ event }) => event !== undefined)
        ? [
            {
              transform: [{ filter: 'isValid(datum.event)' }],
              mark: {
                type: 'point' as const,
                shape: 'diamond',
                filled: true,
                size: 130,
                opacity: 1,
                color: COLOURS.contrast,
              },
              encoding: { x, y, tooltip: [...tooltip, { field: 'event', title: 'what happened' }] },
            },
          ]
        : []),
    ],
  });
  return book.draw(id, spec(true), description, spec(values.length <= MOST_DOTS));
}
