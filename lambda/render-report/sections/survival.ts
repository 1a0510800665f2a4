/** How long users stay: Kaplan-Meier curves with their intervals. */
import { LEAST_AT_RISK, SURVIVAL_GROUPINGS } from '../../../domain/exploration.ts';
import type { TrainedDetail } from '../../../domain/records.ts';
import type { SurvivalCurve } from '../../../domain/results.ts';
import { type ChartBook, COLOURS, CROSSED_OUT, crossingOut } from '../charts.ts';
import { counted, percent } from '../format.ts';
import { type Html, html } from '../html.ts';

/** Groups with fewer users have no curve of their own. */
const LEAST_USERS = 50;
/** Users of a large service cancel on every day: more points of a curve are drawn beside one another than can be seen. */
const MOST_POINTS = 100;
const COLOUR_LIST = [COLOURS.accent, COLOURS.contrast, COLOURS.third, COLOURS.neutral];

/** Undefined for results of older versions, and where too few users cancel. */
export async function survivalSection(
  { training: { exploration } }: TrainedDetail,
  book: ChartBook,
): Promise<Html | undefined> {
  const curves = (exploration?.survival ?? []).flatMap((curve) => {
    // At the far end a single cancellation would halve the curve.
    const points = curve.points.filter(({ atRisk }) => atRisk >= LEAST_AT_RISK);
    return points.length < 2 || curve.users < LEAST_USERS ? [] : [{ ...curve, points: thinned(points) }];
  });
  const all = curves.find(({ grouping }) => grouping === 'all');
  if (all === undefined) return undefined;
  const figures = await Promise.all(
    SURVIVAL_GROUPINGS.map(async ({ name, label }) => {
      const own = curves.filter(({ grouping }) => grouping === name).slice(-COLOUR_LIST.length);
      // One group alone is what all users are.
      if (own.length === 0 || (name !== 'all' && own.length < 2)) return undefined;
      return html`<figure><h3>${label}</h3>${await chart(name, own, book)}</figure>`;
    }),
  );
  return html`<section class="long" id="survival">
<h2>How long they stay</h2>
<p>${halfText(all)} A user counts from the first event in the log on, not from registration (delayed entry), so users who left before the
log began cannot flatter the curve; it says who stays of those who got as far as its first day. Shaded: 95% intervals. Drawn while at
least ${LEAST_AT_RISK} users are at risk.</p>
<div class="pair">${figures.flatMap((figure) => figure ?? [])}</div>
</section>`;
}

/** Points for a picture a few hundred dots wide: the last one of each of so many periods of equal length. */
export function thinned(points: SurvivalCurve['points']): SurvivalCurve['points'] {
  const [first, last] = [points[0]?.day ?? 0, points.at(-1)?.day ?? 0];
  const period = (day: number): number => Math.floor(((day - first) * MOST_POINTS) / (last - first + 1));
  return points.filter(
    ({ day }, index) => index === 0 || period(day) !== period(points[index + 1]?.day ?? last + 1),
  );
}

function halfText({ points, users }: SurvivalCurve): string {
  const half = points.find(({ survival }) => survival <= 0.5);
  const last = points.at(-1);
  if (half !== undefined)
    return `Half of the users have cancelled ${counted(half.day, 'day')} after they registered (of ${counted(users, 'user')}).`;
  return last === undefined
    ? ''
    : `${percent(last.survival)} of the users are still there ${counted(last.day, 'day')} after they registered (of ${counted(users, 'user')}).`;
}

function chart(id: string, curves: readonly SurvivalCurve[], book: ChartBook): Promise<Html> {
  const labels = curves.map(({ value }) => value);
  const values = curves.flatMap(({ value, points }) => points.map((point) => ({ series: value, ...point })));
  const x = {
    field: 'day',
    type: 'quantitative',
    axis: { title: 'days since registration', tickCount: 6 },
  } as const;
  const y = {
    type: 'quantitative',
    scale: { domainMin: 0, domainMax: 1 },
    axis: { title: 'still there', format: '.0%', tickCount: 5 },
  } as const;
  const color = {
    field: 'series',
    type: 'nominal',
    scale: { domain: labels, range: COLOUR_LIST.slice(0, labels.length) },
    // The symbols are of the line, not of the pale area around it.
    legend:
      labels.length === 1 ? null : { title: null, orient: 'bottom', symbolType: 'stroke', symbolOpacity: 1 },
  } as const;
  return book.draw(
    `survival-${id}`,
    {
      width: 300,
      height: 220,
      layer: [
        {
          data: { values },
          mark: { type: 'area', interpolate: 'step-after', opacity: 0.15 },
          encoding: { x, y: { field: 'low', ...y }, y2: { field: 'high' }, color },
        },
        {
          data: { values },
          params: [crossingOut()],
          mark: { type: 'line', interpolate: 'step-after', strokeWidth: 2 },
          encoding: {
            x,
            y: { field: 'survival', ...y },
            color,
            opacity: CROSSED_OUT,
            tooltip: [
              { field: 'series', title: 'users' },
              { field: 'day', title: 'day', type: 'quantitative' },
              { field: 'survival', title: 'still there', type: 'quantitative', format: '.1%' },
              { field: 'low', title: 'at least', type: 'quantitative', format: '.1%' },
              { field: 'high', title: 'at most', type: 'quantitative', format: '.1%' },
              { field: 'atRisk', title: 'at risk', type: 'quantitative', format: ',' },
            ],
          },
        },
      ],
    },
    `Share of users who are still there, by days since registration: ${curves
      .map(
        ({ value, points }) =>
          `${value} ${percent(points.at(-1)?.survival ?? 1)} after ${points.at(-1)?.day ?? 0} days`,
      )
      .join(', ')}`,
  );
}
