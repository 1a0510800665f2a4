/** The models that competed, and how well each did on users that it had not seen. */
import { METRICS, type Metric, type MetricName } from '../../../domain/models.ts';
import type { RunDetail } from '../../../domain/records.ts';
import type { ModelEvaluation } from '../../../domain/results.ts';
import { counted, day, decimal, percent, whole } from '../format.ts';
import { type Html, html } from '../html.ts';
import { type TableColumn, table } from '../html-table.ts';
import { modelLabel } from '../labels.ts';

const MAIN_METRICS: readonly MetricName[] = [
  'auc',
  'average_precision_ratio',
  'lift_at_10',
  'brier_skill',
  'calibration_error',
  'calibration_slope',
];
const DIGITS: Readonly<Partial<Record<string, number>>> = {
  average_precision_ratio: 2,
  lift_at_5: 2,
  lift_at_10: 2,
  lift_at_20: 2,
  brier: 4,
  log_loss: 4,
  calibration_slope: 2,
};

/** What the chosen model did. */
export function chosenEvaluation({ training }: Pick<RunDetail, 'training'>): ModelEvaluation | undefined {
  return training.evaluations.find(({ model }) => model === training.chosen);
}

export function modelsSection({ training }: RunDetail): Html {
  const { evaluations, chosen } = training;
  return html`<section id="models">
<h2>How well the models do</h2>
<p>Each learned from ${whole(training.trainRows)} rows (${counted(training.trainCancellations, 'cancellation')}) and was
tested on ${counted(training.testRows, 'user')} as known on ${day(training.testCutoff)},
${whole(training.testCancellations)} of whom then cancelled. Nothing of what came after that day was known to it.</p>
${table({
  caption: 'Candidates, and the trivial models that they must beat; 95% intervals where they were computed',
  columns: [nameColumn(chosen), ...MAIN_METRICS.map((name) => metricColumn(name, evaluations))],
  rows: evaluations,
  isChosen: ({ model }) => model === chosen,
})}
<details><summary>All figures, and what they mean</summary>
${table({
  caption: 'Every figure of every model',
  columns: [
    {
      heading: 'Figure',
      cell: (metric: Metric) => html`${metric.label}<small>${metric.meaning}; ${better(metric)}</small>`,
    },
    ...evaluations.map((evaluation) => ({
      heading: modelLabel(evaluation.model),
      isNumber: true,
      cell: (metric: Metric) => figure(evaluation, metric.name),
    })),
  ],
  rows: METRICS,
})}
</details>
</section>`;
}

function nameColumn(chosen: string): TableColumn<ModelEvaluation> {
  return {
    heading: 'Model',
    cell: ({ model, kind }) =>
      html`${modelLabel(model)} ${model === chosen ? html`<span class="tag">chosen</span>` : undefined} ${
        kind === 'baseline' ? html`<span class="tag plain">baseline</span>` : undefined
      }`,
  };
}

function metricColumn(
  name: MetricName,
  evaluations: readonly ModelEvaluation[],
): TableColumn<ModelEvaluation> {
  const metric = METRICS.find((one) => one.name === name);
  const best = bestValue(metric, evaluations);
  return {
    heading: html`<span title="${metric?.meaning ?? name}">${metric?.label ?? name}</span>`,
    isNumber: true,
    cell: (evaluation) => {
      const text = figure(evaluation, name);
      return best !== undefined && evaluation.kind === 'candidate' && evaluation.metrics[name]?.value === best
        ? html`<strong>${text}</strong>`
        : text;
    },
  };
}

function bestValue(metric: Metric | undefined, evaluations: readonly ModelEvaluation[]): number | undefined {
  if (metric === undefined) return undefined;
  const merit = (value: number): number => {
    if (metric.better === 'higher') return value;
    return metric.better === 'lower' ? -value : -Math.abs(value - 1);
  };
  const values = evaluations
    .filter(({ kind }) => kind === 'candidate')
    .flatMap(({ metrics }) => metrics[metric.name]?.value ?? []);
  return values.toSorted((a, b) => merit(b) - merit(a))[0];
}

function figure({ metrics }: ModelEvaluation, name: string): Html {
  const estimate = metrics[name];
  if (estimate === undefined) return html`–`;
  const text = (value: number): string =>
    name === 'brier_skill' ? percent(value) : decimal(value, DIGITS[name] ?? 3);
  const { value, low, high } = estimate;
  if (low === null || high === null) return html`${text(value)}`;
  return html`${text(value)}<small>${text(low)} to ${text(high)}</small>`;
}

function better({ better: which }: Metric): string {
  return which === 'nearer to 1' ? 'best at 1' : `${which} is better`;
}
