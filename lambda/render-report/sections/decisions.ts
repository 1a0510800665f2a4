/** The outcome of contacting every user at or above a threshold. */
import { modelLabel } from '../../../domain/metrics.ts';
import { THRESHOLD_RULES } from '../../../domain/models.ts';
import type { TrainedDetail } from '../../../domain/records.ts';
import { scoringEvaluation } from '../../../domain/scoring-evaluation.ts';
import { decimal, percent, whole } from '../format.ts';
import { type Html, html } from '../html.ts';
import { table } from '../html-table.ts';

export function decisionsSection(detail: TrainedDetail): Html | undefined {
  const { training } = detail;
  const chosen = scoringEvaluation(detail);
  const rows = THRESHOLD_RULES.flatMap(({ name, label }) => {
    const decision = chosen?.decisions[name];
    return decision === undefined ? [] : [{ rule: label, ...decision }];
  });
  if (chosen === undefined || rows.length === 0) return undefined;
  return html`<section id="decisions">
<h2>Choosing a threshold</h2>
<p>The outcome of contacting every user whose probability is at least the threshold. Each threshold was chosen on training
rows and then applied to the test users, so this is what to expect.</p>
${table({
  caption: `${modelLabel(chosen.model)}, on ${whole(training.testRows)} test users`,
  columns: [
    { heading: 'Threshold chosen for', cell: ({ rule }) => rule },
    { heading: 'Threshold', isNumber: true, cell: ({ threshold }) => percent(threshold) },
    {
      heading: 'Contacted',
      isNumber: true,
      cell: ({ truePositives, falsePositives }) => whole(truePositives + falsePositives),
    },
    {
      heading: 'Of whom cancel',
      isNumber: true,
      cell: ({ precision, truePositives }) =>
        html`${percent(precision)}<small>${whole(truePositives)}</small>`,
    },
    {
      heading: 'Cancellers reached',
      isNumber: true,
      cell: ({ recall, truePositives, falseNegatives }) =>
        html`${percent(recall)}<small>${whole(truePositives)} of ${whole(truePositives + falseNegatives)}</small>`,
    },
    { heading: 'F1 of the cancelling class', isNumber: true, cell: ({ f1 }) => decimal(f1, 3) },
    { heading: 'Balanced accuracy', isNumber: true, cell: (row) => decimal(row.balancedAccuracy, 3) },
    {
      heading: 'Not contacted: stay / cancel',
      isNumber: true,
      cell: ({ trueNegatives, falseNegatives }) => `${whole(trueNegatives)} / ${whole(falseNegatives)}`,
    },
  ],
  rows,
})}
</section>`;
}
