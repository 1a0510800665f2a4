/** The published figures of a leaky protocol, beside the same recipe and ours on this log. */

import type { TrainedDetail } from '../../../domain/records.ts';
import type { Retrospective } from '../../../domain/results.ts';
import {
  PUBLISHED,
  RETROSPECTIVE_LEAK,
  RETROSPECTIVE_METRICS,
  RETROSPECTIVE_MODELS,
  RETROSPECTIVE_SLICES,
  type RetrospectiveFigures,
  type RetrospectiveSlice,
  SIX_FEATURES,
} from '../../../domain/retrospective.ts';
import { counted, decimal, percent, whole } from '../format.ts';
import { type Html, html } from '../html.ts';
import { table } from '../html-table.ts';

/** What was published beside it, or what no published figure is like. */
const BESIDE_PUBLISHED = ['test_reweighted', 'whole'] as const satisfies readonly RetrospectiveSlice[];
const OTHERS = RETROSPECTIVE_SLICES.filter(({ name }) => !BESIDE_PUBLISHED.some((slice) => slice === name));

const LEAKY = html`<span class="tag plain">leaky</span>`;

/** Always there: without figures of this run, the published ones with what they are worth. */
export function retrospectiveSection({ training: { retrospective } }: TrainedDetail): Html {
  const names = SIX_FEATURES.map(({ label }) => label);
  return html`<section class="long" id="retrospective">
<h2>Why published figures are higher</h2>
<p>Analyses of such logs often report an F1 of .78: three models on six features (${names.slice(0, -1).join(', ')} and ${names.at(-1)}),
on users of whom 56% had cancelled; to say of each of them that they cancel scores .72 there. ${RETROSPECTIVE_LEAK} So none of these
figures can be compared with those above, and none decides anything here.</p>
${retrospective === null ? html`<p>This run has not done it on its own log (setting <code>retrospective</code>; too few users may have cancelled).</p>` : ownText(retrospective)}
${BESIDE_PUBLISHED.map((slice) => figuresTable(slice, retrospective))}
${
  retrospective === null
    ? undefined
    : html`<details><summary>The other two ways of counting</summary>
${OTHERS.map(({ name }) => figuresTable(name, retrospective))}
</details>`
}
</section>`;
}

function ownText({ users, cancelled, testUsers, bestSix, difference }: Retrospective): Html {
  const { value, low, high } = difference;
  const interval = low === null || high === null ? '' : ` (95% interval ${signed(low)} to ${signed(high)})`;
  return html`<p>Here the same is done on this log: ${counted(users, 'user')}, ${whole(cancelled)} of whom cancelled
(${percent(cancelled / users)}), each as known before the own last day, so that the pages of a cancellation are not seen; learnt from
70% of them. On the same ${whole(testUsers)} held-out users the AUC of ours is ${signed(value)}${interval} compared with
“${labelOf(bestSix)}”, the best of the recipe. Thresholds are those with the best F1 on training users, out of fold.</p>`;
}

interface Row {
  readonly name: string;
  readonly isPublished: boolean;
  readonly figures: RetrospectiveFigures;
}

function figuresTable(slice: RetrospectiveSlice, retrospective: Retrospective | null): Html {
  const published = PUBLISHED.filter((one) => one.slice === slice).map(
    ({ model, figures }): Row => ({ name: labelOf(model), isPublished: true, figures }),
  );
  const own = (retrospective?.evaluations ?? []).map(
    ({ model, figures }): Row => ({ name: labelOf(model), isPublished: false, figures: figures[slice] }),
  );
  const label = RETROSPECTIVE_SLICES.find(({ name }) => name === slice)?.label ?? slice;
  return table({
    caption: html`${LEAKY} ${label}`,
    columns: [
      {
        heading: 'Model',
        cell: ({ name, isPublished }: Row) =>
          html`${name}<small>${isPublished ? 'published, of another log' : 'on this log'}</small>`,
      },
      ...RETROSPECTIVE_METRICS.map(({ name, label: heading }) => ({
        heading,
        isNumber: true,
        cell: ({ figures }: Row) => decimal(figures[name], 3),
      })),
    ],
    rows: [...published, ...own],
  });
}

function labelOf(name: string): string {
  return RETROSPECTIVE_MODELS.find((model) => model.name === name)?.label ?? name;
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${decimal(Math.abs(value), 3)}`;
}
