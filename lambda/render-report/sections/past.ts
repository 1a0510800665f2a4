/** The record over time: each earlier cutoff tested as a run of that time would have been. */
import { metricOf, metricText, modelLabel } from '../../../domain/metrics.ts';
import type { MetricName } from '../../../domain/models.ts';
import { overObserved } from '../../../domain/predicted-observed.ts';
import type { TrainedDetail } from '../../../domain/records.ts';
import type { PastTest } from '../../../domain/results.ts';
import { day, decimal, whole } from '../format.ts';
import { type Html, html } from '../html.ts';
import { type TableColumn, table } from '../html-table.ts';

export function pastSection({ training }: TrainedDetail): Html | undefined {
  if (training.past.length === 0) return undefined;
  const model = modelLabel(training.chosen);
  return html`<section id="past">
<h2>How it would have done before</h2>
<p>The same kind of model, learnt again at each earlier cutoff from the rows whose outcome was known by then. The spread shows
how much of a difference between two runs is the week rather than the model. Nothing is decided by these figures.</p>
${table({
  caption: html`${model} and the baseline “days since last seen” at earlier cutoffs, with 95% intervals`,
  columns: [
    { heading: 'Cutoff', cell: ({ cutoff }) => day(cutoff) },
    { heading: 'Training rows', isNumber: true, cell: rowsCell },
    { heading: 'Test users', isNumber: true, cell: ({ testRows }) => whole(testRows) },
    ...(['auc', 'average_precision_ratio'] as const).flatMap(metricColumns),
    { heading: 'Predicted / cancelled', isNumber: true, cell: predictedCell },
  ],
  rows: training.past,
})}
</section>`;
}

function rowsCell({ trainRows, trainCutoffs, trainCancellations }: PastTest): Html {
  return html`${whole(trainRows)}<small>${trainCutoffs} cutoffs, ${whole(trainCancellations)} cancellations</small>`;
}

function metricColumns(name: MetricName): readonly TableColumn<PastTest>[] {
  const { label } = metricOf(name);
  return [
    { heading: label, isNumber: true, cell: ({ metrics }) => estimateCell(name, metrics) },
    {
      heading: html`${label}<small>baseline</small>`,
      isNumber: true,
      cell: ({ recency }) => estimateCell(name, recency),
    },
  ];
}

function estimateCell(name: MetricName, metrics: PastTest['metrics']): Html {
  const estimate = metrics[name];
  if (estimate === undefined) return html`–`;
  const metric = metricOf(name);
  const { value, low, high } = estimate;
  if (low === null || high === null) return html`${metricText(metric, value)}`;
  return html`${metricText(metric, value)}<small>${metricText(metric, low)} to ${metricText(metric, high)}</small>`;
}

function predictedCell({ predicted, testCancellations }: PastTest): Html {
  if (predicted === null) return html`not fitted: too few`;
  const ratio = overObserved(predicted, testCancellations);
  if (ratio === undefined || ratio.low === null || ratio.high === null) return html`none cancelled`;
  return html`${decimal(ratio.value, 2)}<small>${decimal(ratio.low, 2)} to ${decimal(ratio.high, 2)}</small>`;
}
