/** How the chosen model and its rivals rank the test users: ROC, precision and recall, and lift. */

import { modelLabel } from '../../../domain/metrics.ts';
import type { TrainedDetail } from '../../../domain/records.ts';
import { scoringEvaluation } from '../../../domain/scoring-evaluation.ts';
import { type ChartBook, COLOURS, CROSSED_OUT, crossingOut } from '../charts.ts';
import { percent } from '../format.ts';
import { type Html, html } from '../html.ts';
import { curvePoints, type RankingPoint } from '../ranking.ts';

const COLOUR_LIST = [COLOURS.accent, COLOURS.contrast, COLOURS.third, COLOURS.neutral];

export async function curvesSection(detail: TrainedDetail, book: ChartBook): Promise<Html | undefined> {
  const { training } = detail;
  const chosen = scoringEvaluation(detail);
  // The base rate gives all users one score: it ranks nobody.
  const rivals = training.evaluations.filter((evaluation) => evaluation.model !== chosen?.model);
  const shown = [...(chosen === undefined ? [] : [chosen]), ...rivals].filter(
    ({ curve, model }) => curve !== undefined && model !== 'base_rate',
  );
  if (chosen?.curve === undefined || shown.length === 0) return undefined;
  const labels = shown
    .toSorted((a, b) => Number(b === chosen) - Number(a === chosen))
    .map(({ model }) => modelLabel(model));
  const values = shown.flatMap(({ model, curve = [] }) =>
    curvePoints(curve)
      .filter(isDrawn)
      .map((point) => ({ series: modelLabel(model), ...point })),
  );
  const rate = training.testRows === 0 ? 0 : training.testCancellations / training.testRows;
  const colour = {
    field: 'series',
    type: 'nominal',
    scale: { domain: labels, range: COLOUR_LIST.slice(0, labels.length) },
    legend: { title: null, orient: 'bottom', columns: 1 },
  } as const;
  const draw = (
    id: string,
    x: Axis,
    y: Axis,
    reference: readonly object[],
    description: string,
  ): Promise<Html> =>
    book.draw(
      id,
      {
        width: 300,
        height: 240,
        layer: [
          {
            data: { values: [...reference] },
            mark: { type: 'line', color: COLOURS.neutral, strokeDash: [4, 4] },
            encoding: { x: position(x), y: position(y) },
          },
          {
            data: {
              // In the order in which they are joined; each chart holds its own two figures only.
              values: values.flatMap(({ series, ...point }) => {
                const { [x.field]: across, [y.field]: up } = point;
                return up === null ? [] : [{ series, [x.field]: across, [y.field]: up }];
              }),
            },
            params: [crossingOut()],
            mark: { type: 'line', strokeWidth: 2 },
            encoding: {
              x: position(x),
              y: position(y),
              order: { value: 0 },
              color: colour,
              opacity: CROSSED_OUT,
              tooltip: [
                { field: 'series', title: 'model' },
                { field: x.field, title: x.title, type: 'quantitative', format: x.format },
                { field: y.field, title: y.title, type: 'quantitative', format: y.format },
              ],
            },
          },
        ],
      },
      description,
    );
  const [roc, precision, lift] = await Promise.all([
    draw(
      'roc-chart',
      STAYERS,
      CANCELLERS,
      diagonal('stayers', 'recall'),
      'ROC curves of the models on the test users',
    ),
    draw(
      'precision-chart',
      CANCELLERS,
      PRECISION,
      level('recall', 'precision', rate),
      'Precision by recall of the models on the test users',
    ),
    draw(
      'lift-chart',
      CONTACTED,
      LIFT,
      level('contacted', 'lift', 1),
      'Lift of the models by the share of users contacted',
    ),
  ]);
  return html`<section id="curves">
<h2>How well are cancellers told from the others?</h2>
<p>Every point is a threshold; the dashed line is a ranking by chance. A click on a model in a legend lets the others fade.</p>
<div class="pair three">
<figure><h3>ROC</h3>${roc}<figcaption>Cancellers found against others contacted in vain.</figcaption></figure>
<figure><h3>Precision and recall</h3>${precision}<figcaption>Of those contacted, the share who cancel. By chance: ${percent(rate)}.</figcaption></figure>
<figure><h3>Lift</h3>${lift}<figcaption>Times as many cancellers as among users chosen by chance.</figcaption></figure>
</div>
</section>`;
}

/** The picture is a few hundred dots wide: of the many points every second one is enough, but at the steep beginning. */
function isDrawn(_: RankingPoint, index: number, all: readonly RankingPoint[]): boolean {
  return index % 2 === 0 || index < STEEP_POINTS || all.length <= MANY_POINTS || index === all.length - 1;
}

const MANY_POINTS = 100;
const STEEP_POINTS = 20;

interface Axis {
  readonly field: keyof RankingPoint;
  readonly title: string;
  readonly format: string;
}

const STAYERS: Axis = { field: 'stayers', title: 'Others contacted', format: '.0%' };
const CANCELLERS: Axis = { field: 'recall', title: 'Cancellers found', format: '.0%' };
const PRECISION: Axis = { field: 'precision', title: 'Cancel, of those contacted', format: '.0%' };
const CONTACTED: Axis = { field: 'contacted', title: 'Users contacted', format: '.0%' };
const LIFT: Axis = { field: 'lift', title: 'Lift', format: '.1f' };

function position({ field, title, format }: Axis) {
  return { field, type: 'quantitative' as const, axis: { title, format, tickCount: 5 } };
}

const diagonal = (x: string, y: string): readonly object[] => [
  { [x]: 0, [y]: 0 },
  { [x]: 1, [y]: 1 },
];
const level = (x: string, y: string, value: number): readonly object[] => [
  { [x]: 0, [y]: value },
  { [x]: 1, [y]: value },
];
