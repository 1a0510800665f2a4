/** A run that succeeded, in a few sentences for the notification. Pure functions. */
import { CANDIDATES } from '../../domain/models.ts';
import type { RunDetail } from '../../domain/records.ts';
import { addDays } from '../../domain/time.ts';

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** Label of a model that people read. */
export function modelLabel(name: string): string {
  return CANDIDATES.find((candidate) => candidate.name === name)?.label ?? name;
}

/** "X of Y living users are expected to cancel between A and B", the run's answer. Both days are included. */
export function headline({ scoring, plan }: Pick<RunDetail, 'scoring' | 'plan'>): string {
  const lastDay = addDays(scoring.cutoff, plan.training.horizonDays - 1);
  return (
    `${WHOLE.format(scoring.expectedCancellations)} of ${WHOLE.format(scoring.users)} living users ` +
    `are expected to cancel between ${scoring.cutoff} and ${lastDay}.`
  );
}

/** What was read, what is expected, the model, and what became of it. */
export function summarize(detail: RunDetail): string {
  const { record, ingest, features, training } = detail;
  const { counts } = ingest;
  const chosen = training.evaluations.find(({ model }) => model === training.chosen);
  const figures = [
    ['AUC', chosen?.metrics.auc?.value.toFixed(3)],
    ['average precision / base rate', chosen?.metrics.average_precision_ratio?.value.toFixed(2)],
    ['lift at 10 %', chosen?.metrics.lift_at_10?.value.toFixed(2)],
  ].flatMap(([label, value]) => (value === undefined ? [] : [`${label} ${value}`]));
  return [
    `Run ${record.run_id} succeeded. ${headline(detail)}`,
    `Read: ${WHOLE.format(counts.read)} rows, of which ${WHOLE.format(counts.accepted)} accepted, ` +
      `${WHOLE.format(counts.quarantined)} refused, ${WHOLE.format(counts.duplicates)} duplicates.`,
    `Users: ${WHOLE.format(features.users)}, of whom ${WHOLE.format(features.cancellations)} have cancelled.`,
    `Model: ${modelLabel(training.chosen)} (${figures.join(', ')}), ` +
      `${record.promoted ? 'promoted' : 'not promoted'}: ${record.promotion_reason}.`,
    ...(training.reliable ? [] : [`Not reliable: ${training.reliabilityReason}.`]),
    ...(record.cost_usd === null || record.cost_usd === 0
      ? []
      : [`Cost: ${record.cost_usd.toFixed(2)} USD.`]),
  ].join('\n');
}
