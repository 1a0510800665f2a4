/** A backtest as text. Pure functions. */
import { metricOf, metricText, modelLabel } from '../../../domain/metrics.ts';
import type { Estimate } from '../../../domain/results.ts';
import { modelNameSchema } from '../../../domain/results.ts';
import type { Backtest, Figures } from './backtest.ts';

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export function backtestText(found: Backtest): string {
  const { asOf, horizonDays, future, predicted, notScored } = found;
  const rows = [
    ['', 'what came', `test of ${found.testCutoff}`],
    ['users', WHOLE.format(future.users), WHOLE.format(found.ownTest.users)],
    ['cancelled', WHOLE.format(future.cancelled), WHOLE.format(found.ownTest.cancelled)],
    row(metricOf('auc').label, 'auc', found, (value) => metricText(metricOf('auc'), value)),
    ...(['averagePrecisionRatio', 'liftAt10'] as const).map((name) => {
      const metric = metricOf(name === 'liftAt10' ? 'lift_at_10' : 'average_precision_ratio');
      return row(metric.label, name, found, (value) => metricText(metric, value));
    }),
    row('predicted / observed', 'predictedObserved', found, (value) => value.toFixed(2)),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  return [
    ...scoredBy(found),
    `In the ${horizonDays} days from ${asOf} on ${WHOLE.format(future.cancelled)} of them cancelled, and ` +
      `${predicted.toFixed(1)} were predicted.`,
    ...(notScored === 0
      ? []
      : [
          `${WHOLE.format(notScored)} more cancelled whose first event, or return, came later: they had no score.`,
        ]),
    '',
    ...rows.map((cells) =>
      `  ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
    ),
    '',
  ].join('\n');
}

function scoredBy({ asOf, model, future, reason }: Backtest): readonly string[] {
  const users = `${WHOLE.format(future.users)} users`;
  if (model === null)
    return [`As of ${asOf} no model could be put in charge: ${users} had the base rate.`, `${reason}.`];
  const known = modelNameSchema.safeParse(model);
  const name = known.success ? modelLabel(known.data) : model;
  return [`As of ${asOf} ${users} were scored by ${name}, which knew the events before that day only.`];
}

function row(
  label: string,
  name: Exclude<keyof Figures, 'users' | 'cancelled'>,
  { future, ownTest }: Backtest,
  text: (value: number) => string,
): readonly string[] {
  return [label, estimateText(future[name], text), estimateText(ownTest[name], text)];
}

function estimateText(estimate: Estimate | undefined, text: (value: number) => string): string {
  if (estimate === undefined) return '–';
  const { value, low, high } = estimate;
  return low === null || high === null ? text(value) : `${text(value)} (${text(low)} to ${text(high)})`;
}
