/** The models that competed, and how well each performed on the test users. */
import { chosenEvaluation } from '../../../domain/chosen-evaluation.ts';
import {
  betterText,
  CHOICE_METRIC,
  metricHeading,
  metricMerit,
  metricsShownIn,
  metricText,
  modelLabel,
} from '../../../domain/metrics.ts';
import { METRICS, type Metric } from '../../../domain/models.ts';
import type { TrainedDetail } from '../../../domain/records.ts';
import type { ModelEvaluation, TrainingResult } from '../../../domain/results.ts';
import { counted, day, whole } from '../format.ts';
import { type Html, html } from '../html.ts';
import { type TableColumn, table } from '../html-table.ts';

export function modelsSection({ training }: TrainedDetail): Html {
  const champion = training.champion?.evaluation ?? null;
  const evaluations = champion === null ? training.evaluations : [...training.evaluations, champion];
  const chosen = chosenEvaluation(training);
  return html`<section id="models">
<h2>How well the models perform</h2>
<p>Each model was trained on ${whole(training.trainRows)} rows (${counted(training.trainCancellations, 'cancellation')}) and
tested on ${counted(training.testRows, 'user')} as known on ${day(training.testCutoff)}, ${whole(training.testCancellations)}
of whom then cancelled. The models knew nothing that happened after that day. The simplest candidate whose out-of-fold
${CHOICE_METRIC.label} is within one standard error of the best is chosen, without looking at the test users.</p>
${notFitted(training.notFitted)}
${table({
  caption: 'Candidates and the baselines that they must beat, with 95% intervals where they were computed',
  columns: [
    nameColumn(chosen, champion),
    ...metricsShownIn('report models').map((metric) => metricColumn(metric, evaluations)),
  ],
  rows: evaluations,
  isChosen: (evaluation) => evaluation === chosen,
})}
<details><summary>All metrics and their meaning</summary>
${table({
  caption: 'Every metric of every model',
  columns: [
    {
      heading: 'Metric',
      cell: (metric: Metric) =>
        html`${metricHeading(metric)}<small>${metric.meaning}; ${betterText(metric)}</small>`,
    },
    ...evaluations.map((evaluation) => ({
      heading: modelLabel(evaluation.model),
      isNumber: true,
      cell: (metric: Metric) => estimateCell(evaluation, metric),
    })),
  ],
  rows: METRICS,
})}
</details>
</section>`;
}

function notFitted(candidates: TrainingResult['notFitted']): Html | undefined {
  if (candidates.length === 0) return undefined;
  return html`<ul>${candidates.map(
    ({ model, reason }) => html`<li>${modelLabel(model)}: not fitted: ${reason}</li>`,
  )}</ul>`;
}

function nameColumn(
  chosen: ModelEvaluation | undefined,
  champion: ModelEvaluation | null,
): TableColumn<ModelEvaluation> {
  return {
    heading: 'Model',
    cell: (evaluation) =>
      html`${modelLabel(evaluation.model)} ${
        evaluation === chosen ? html`<span class="tag">chosen</span>` : undefined
      } ${evaluation === champion ? html`<span class="tag">champion</span>` : undefined} ${
        evaluation.kind === 'baseline' ? html`<span class="tag plain">baseline</span>` : undefined
      }`,
  };
}

function metricColumn(metric: Metric, evaluations: readonly ModelEvaluation[]): TableColumn<ModelEvaluation> {
  const best = bestCandidateValue(metric, evaluations);
  return {
    heading: html`<span title="${metric.meaning}">${metricHeading(metric)}</span>`,
    isNumber: true,
    cell: (evaluation) => {
      const cell = estimateCell(evaluation, metric);
      const { kind, metrics } = evaluation;
      return best !== undefined && kind === 'candidate' && metrics[metric.name]?.value === best
        ? html`<strong>${cell}</strong>`
        : cell;
    },
  };
}

function bestCandidateValue(metric: Metric, evaluations: readonly ModelEvaluation[]): number | undefined {
  const values = evaluations
    .filter(({ kind }) => kind === 'candidate')
    .flatMap(({ metrics }) => metrics[metric.name]?.value ?? []);
  return values.toSorted((a, b) => metricMerit(metric, b) - metricMerit(metric, a))[0];
}

function estimateCell({ metrics }: ModelEvaluation, metric: Metric): Html {
  const estimate = metrics[metric.name];
  if (estimate === undefined) return html`–`;
  const { value, low, high } = estimate;
  const text = metricText(metric, value);
  if (low === null || high === null) return html`${text}`;
  return html`${text}<small>${metricText(metric, low)} to ${metricText(metric, high)}</small>`;
}
