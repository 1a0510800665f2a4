/** How well today's scores should do, before it is known who cancels. */
import { expectedQuality } from '../../../domain/expected-quality.ts';
import { metricOf, metricText } from '../../../domain/metrics.ts';
import type { RunDetail } from '../../../domain/records.ts';
import { scoringEvaluation } from '../../../domain/scoring-evaluation.ts';
import { day } from '../format.ts';
import { type Html, html } from '../html.ts';
import { table } from '../html-table.ts';

/** Undefined where nobody is in charge, where the probabilities are withheld, and for results of older versions. */
export function expectedQualitySection(detail: RunDetail): Html | undefined {
  const { scoring, choice } = detail;
  if (choice !== undefined && choice.list !== 'yes') return undefined;
  const expected = expectedQuality(scoring.probabilities ?? []);
  if (expected === undefined) return undefined;
  const tested = scoringEvaluation(detail)?.metrics;
  const rows = [
    { metric: metricOf('auc'), value: expected.auc, test: tested?.auc?.value },
    { metric: metricOf('lift_at_10'), value: expected.liftAt10, test: tested?.lift_at_10?.value },
  ];
  return html`<section id="expected-quality">
<h2>What to expect of these scores</h2>
<p>Who cancels from ${day(scoring.cutoff)} on is not known yet. If every probability is right, the scores should do as well as this;
the test rows say how well they did. The estimate cannot see that users have begun to cancel for other reasons: it is a figure to
compare with what comes, and decides nothing.</p>
${table({
  caption: 'The ranking of the users being scored, as the probabilities themselves lead to expect',
  columns: [
    { heading: 'Metric', cell: ({ metric }) => metric.label },
    { heading: 'Expected', isNumber: true, cell: ({ metric, value }) => metricText(metric, value) },
    {
      heading: 'On the test rows',
      isNumber: true,
      cell: ({ metric, test }) => (test === undefined ? '–' : metricText(metric, test)),
    },
  ],
  rows,
})}
</section>`;
}
