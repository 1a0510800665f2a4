/** The history of models as text. Pure functions. */
import { metricOf, metricText } from '../../../domain/metrics.ts';
import type { Figure, HistoryEntry, ModelHistory, RunOfHistory } from './history.ts';

/** Who is in charge, then one paragraph per run or decision, newest first. */
export function historyText(history: ModelHistory): string {
  return [...head(history), '', ...history.entries.flatMap((entry) => entryLines(entry, history)), '']
    .join('\n')
    .replace(/\n{2,}$/, '\n');
}

function head({ inCharge, current, rescoringIsDue, manual }: ModelHistory): readonly string[] {
  if (current === null) return ['No run has succeeded yet.'];
  return [
    inCharge === null ? 'No model is in charge.' : `The model of run ${inCharge} is in charge.`,
    rescoringIsDue
      ? `The current scores (run ${current}) are by another model: the next run scores again.`
      : `The current scores are those of run ${current}.`,
    ...(manual === null
      ? []
      : [
          `Promotion is manual since ${minute(manual.at)} (${manual.by}: ${manual.why}), until \`churn promote\`.`,
        ]),
  ];
}

function entryLines(entry: HistoryEntry, { inCharge }: ModelHistory): readonly string[] {
  if (entry.kind === 'decision') {
    const { at, by, action, runId, why } = entry;
    return [`${minute(at)}  ${by}: ${action} ${runId} (${why})`];
  }
  const mark = entry.runId === inCharge ? '  (in charge)' : '';
  return [`${minute(entry.at)}  run ${entry.runId}${mark}`, ...runLines(entry).map((line) => `    ${line}`)];
}

function runLines(run: RunOfHistory): readonly string[] {
  const scorer = run.scoredBy === run.runId ? 'its own model' : `the model of run ${run.scoredBy}`;
  const figures = [
    figureText('auc', run.auc),
    figureText('average_precision_ratio', run.averagePrecisionRatio),
  ].filter((text) => text !== undefined);
  return [
    run.scoredBy === null
      ? 'scored by no model: the base rate'
      : `scored by ${scorer}: ${run.model ?? 'unknown'}`,
    ...(figures.length === 0 ? [] : [figures.join(', ')]),
    `${run.ruleText}: ${run.reason}`,
  ];
}

function figureText(name: Parameters<typeof metricOf>[0], figure: Figure | null): string | undefined {
  if (figure === null) return undefined;
  const metric = metricOf(name);
  const { value, low, high } = figure;
  const interval =
    low === null || high === null ? '' : ` (${metricText(metric, low)} to ${metricText(metric, high)})`;
  return `${metric.label} ${metricText(metric, value)}${interval}`;
}

function minute(at: string): string {
  return `${at.slice(0, 16).replace('T', ' ')} UTC`;
}
