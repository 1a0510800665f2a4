/** Two charts of the chosen model: whether its probabilities are right, and how many cancellers its ranking finds. */

import { metricText, modelLabel } from '../../../domain/metrics.ts';
import { METRICS, type Metric } from '../../../domain/models.ts';
import type { TrainedDetail } from '../../../domain/records.ts';
import type { ModelEvaluation } from '../../../domain/results.ts';
import { scoringEvaluation } from '../../../domain/scoring-evaluation.ts';
import { shareInterval } from '../../../domain/share-interval.ts';
import { type ChartBook, COLOURS } from '../charts.ts';
import { percent, whole } from '../format.ts';
import { type Html, html } from '../html.ts';
import { table } from '../html-table.ts';

/** A ranking of which nothing is known. */
const RANDOM_ORDER = 'Random order';

export async function qualitySection(detail: TrainedDetail, book: ChartBook): Promise<Html | undefined> {
  const { training } = detail;
  const chosen = scoringEvaluation(detail);
  if (chosen === undefined) return undefined;
  return html`<section id="quality">
<h2>How far the chosen model can be trusted</h2>
<div class="pair">
${await calibrationFigure(chosen, book)}
${await gainsFigure(training.evaluations, chosen, book)}
</div>
</section>`;
}

async function calibrationFigure(
  { reliability }: ModelEvaluation,
  book: ChartBook,
): Promise<Html | undefined> {
  if (reliability.length === 0) return undefined;
  const end = Math.max(...reliability.flatMap(({ predicted, observed }) => [predicted, observed])) * 1.25;
  const position = (field: string, title: string) => ({
    field,
    type: 'quantitative' as const,
    scale: { domain: [0, end] },
    axis: { format: '.0%', title, tickCount: 5 },
  });
  const drawn = await book.draw(
    'reliability-chart',
    {
      width: 330,
      height: 260,
      layer: [
        {
          data: {
            values: [
              { predicted: 0, observed: 0 },
              { predicted: end, observed: end },
            ],
          },
          mark: { type: 'line', color: COLOURS.neutral, strokeDash: [4, 4] },
          encoding: {
            x: position('predicted', 'Predicted probability'),
            y: position('observed', 'Share who cancelled'),
          },
        },
        {
          data: { values: reliability.map((bin) => ({ ...bin, ...intervalWithin(bin, end) })) },
          mark: { type: 'rule', color: COLOURS.accent, opacity: 0.45, strokeWidth: 2 },
          encoding: {
            x: position('predicted', 'Predicted probability'),
            y: position('low', 'Share who cancelled'),
            y2: { field: 'high' },
          },
        },
        {
          data: { values: [...reliability] },
          mark: {
            type: 'line',
            color: COLOURS.accent,
            point: { filled: true, size: 60, color: COLOURS.accent },
          },
          encoding: {
            x: position('predicted', 'Predicted probability'),
            y: position('observed', 'Share who cancelled'),
          },
        },
      ],
    },
    'Predicted probability and the share of users who cancelled, in ten groups of equal size',
  );
  return html`<figure>
<h3>Are the probabilities right?</h3>
${drawn}
<figcaption>Users in ten groups by predicted probability. On the dashed line, as many cancelled as predicted. Bars: the
shares that chance leaves possible (95%).</figcaption>
<details><summary>Data</summary>${table({
    caption: 'Ten groups of users by predicted probability',
    columns: [
      { heading: 'Group', cell: (_bin, index) => whole(index + 1) },
      { heading: 'Predicted', isNumber: true, cell: (bin) => percent(bin.predicted) },
      { heading: 'Cancelled', isNumber: true, cell: (bin) => percent(bin.observed) },
      { heading: 'Users', isNumber: true, cell: (bin) => whole(bin.users) },
    ],
    rows: reliability,
  })}</details>
</figure>`;
}

/** The interval of the share who cancelled, as far as the chart shows it. */
function intervalWithin({ observed, users }: ModelEvaluation['reliability'][number], end: number) {
  const { low, high } = shareInterval(observed, users);
  return { low, high: Math.min(high, end) };
}

interface Reach {
  readonly model: string;
  readonly share: number;
  /** Share of all cancellers that are among the top users. */
  readonly reached: number;
  readonly lift: string;
}

async function gainsFigure(
  evaluations: readonly ModelEvaluation[],
  chosen: ModelEvaluation,
  book: ChartBook,
): Promise<Html | undefined> {
  // The base rate ranks nobody, so this is the baseline to beat here.
  const baseline = evaluations.find(({ model }) => model === 'days_since_last_seen');
  const shown = [chosen, ...(baseline === undefined ? [] : [baseline])];
  const own = reaches(chosen);
  if (own.length === 0) return undefined;
  const labels = [...shown.map(({ model }) => modelLabel(model)), RANDOM_ORDER];
  const values = [
    ...shown.flatMap((evaluation) => [start(evaluation), ...reaches(evaluation)]),
    ...[0, 0.2].map((share) => ({ model: RANDOM_ORDER, share, reached: share })),
  ];
  const drawn = await book.draw(
    'gains-chart',
    {
      width: 330,
      height: 260,
      data: { values },
      mark: { type: 'line', point: { filled: true, size: 60 } },
      encoding: {
        x: {
          field: 'share',
          type: 'quantitative',
          axis: { format: '.0%', title: 'Users contacted, most at risk first', tickCount: 5 },
        },
        y: {
          field: 'reached',
          type: 'quantitative',
          axis: { format: '.0%', title: 'Cancellers reached', tickCount: 5 },
        },
        color: {
          field: 'model',
          type: 'nominal',
          scale: { domain: labels, range: shownColours(labels.length) },
          legend: { title: null, orient: 'bottom', columns: 1 },
        },
      },
    },
    'Share of the cancellers reached by share of users contacted',
  );
  const tenth = own.find(({ share }) => share === 0.1);
  const sentence =
    tenth === undefined
      ? ''
      : ` The tenth of users most at risk includes ${percent(tenth.reached)} of all cancellers.`;
  return html`<figure>
<h3>How many cancellers are reached?</h3>
${drawn}
<figcaption>Measured on the test users.${sentence}</figcaption>
<details><summary>Data</summary>${table({
    caption: `${modelLabel(chosen.model)}: cancellers among the users most at risk`,
    columns: [
      { heading: 'Users contacted', cell: ({ share }: Reach) => percent(share) },
      { heading: 'Cancellers reached', isNumber: true, cell: ({ reached }) => percent(reached) },
      { heading: 'Compared with a random order', isNumber: true, cell: ({ lift }) => `${lift} ×` },
    ],
    rows: own,
  })}</details>
</figure>`;
}

function reaches({ model, metrics }: ModelEvaluation): readonly Reach[] {
  const all: readonly Metric[] = METRICS;
  return all.flatMap((metric) => {
    const lift = metrics[metric.name]?.value;
    if (metric.topPercent === undefined || lift === undefined) return [];
    const share = metric.topPercent / 100;
    return [{ model: modelLabel(model), share, reached: lift * share, lift: metricText(metric, lift) }];
  });
}

function start({ model }: ModelEvaluation): Pick<Reach, 'model' | 'share' | 'reached'> {
  return { model: modelLabel(model), share: 0, reached: 0 };
}

function shownColours(count: number): string[] {
  return count === 3
    ? [COLOURS.accent, COLOURS.contrast, COLOURS.neutral]
    : [COLOURS.accent, COLOURS.neutral];
}
