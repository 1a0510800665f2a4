/** What follows from contacting everybody above a threshold. */
import type { RunDetail } from '../../../domain/records.ts';
import { decimal, percent, whole } from '../format.ts';
import { type Html, html } from '../html.ts';
import { table } from '../html-table.ts';
import { modelLabel, thresholdRuleLabel } from '../labels.ts';
import { chosenEvaluation } from './models.ts';

export function decisionsSection(detail: RunDetail): Html | undefined {
  const chosen = chosenEvaluation(detail);
  const rows = Object.entries(chosen?.decisions ?? {}).map(([rule, decision]) => ({ rule, ...decision }));
  if (chosen === undefined || rows.length === 0) return undefined;
  return html`<section id="decisions">
<h2>Where to draw the line</h2>
<p>Contacting every user whose chance is at least the threshold. Each threshold was chosen on training rows and then
held against the test users, so these are figures to expect.</p>
${table({
  caption: `${modelLabel(chosen.model)}, on ${whole(detail.training.testRows)} test users`,
  columns: [
    { heading: 'Threshold chosen for', cell: ({ rule }) => thresholdRuleLabel(rule) },
    { heading: 'Threshold', isNumber: true, cell: ({ threshold }) => percent(threshold) },
    {
      heading: 'Contacted',
      isNumber: true,
      cell: ({ truePositives, falsePositives }) => whole(truePositives + falsePositives),
    },
    {
      heading: 'Of them cancel',
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
      heading: 'Left alone rightly / wrongly',
      isNumber: true,
      cell: ({ trueNegatives, falseNegatives }) => `${whole(trueNegatives)} / ${whole(falseNegatives)}`,
    },
  ],
  rows,
})}
</section>`;
}
