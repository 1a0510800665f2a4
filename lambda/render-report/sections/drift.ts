/** How far the scored users are from those on whom the model was tested. */
import {
  DRIFT_THRESHOLDS,
  driftByChance,
  driftLevel,
  isExemptFromDriftAlarm,
} from '../../../domain/drift-thresholds.ts';
import type { RunDetail } from '../../../domain/records.ts';
import type { Drift } from '../../../domain/results.ts';
import { counted, day, decimal } from '../format.ts';
import { type Html, html } from '../html.ts';
import { type TableColumn, table } from '../html-table.ts';
import { featureLabel } from '../labels.ts';

type FeatureDrift = Drift['features'][number];

/** An index as the report writes it. */
export const driftText = (index: number): string => decimal(index, 2);

export function driftSection({ training, scoring }: RunDetail): Html {
  const { features, score } = scoring.drift;
  const moved = features.filter(({ psi }) => driftLevel(psi) !== 'steady');
  const telling = moved.filter(({ feature }) => !isExemptFromDriftAlarm(feature));
  const exempt = moved.filter(({ feature }) => isExemptFromDriftAlarm(feature));
  const chance = driftByChance(training.testRows, scoring.users);
  return html`<section class="long" id="drift">
<h2>Whether users have changed</h2>
<p>Population stability index of ${counted(features.length, 'feature')} and of the score: users as known on
${day(scoring.cutoff)} against those on whom the model was tested, as known on ${day(training.testCutoff)}. 0 is no change;
from ${driftText(DRIFT_THRESHOLDS.watch)} on it is worth a look, from ${driftText(DRIFT_THRESHOLDS.alarm)} on it alarms.
The score has ${driftText(score)}: ${driftLevel(score)}.</p>
${
  chance < DRIFT_THRESHOLDS.watch
    ? undefined
    : html`<p>Among so few users, chance alone takes one feature in 20 to ${driftText(chance)} and beyond.</p>`
}
${
  telling.length === 0
    ? html`<p>No feature has moved so far that it is worth a look.</p>`
    : table({ caption: 'Features that have moved, the furthest first', columns: COLUMNS, rows: telling })
}
${
  exempt.length === 0
    ? undefined
    : html`<details><summary>${counted(exempt.length, 'feature')} moved and exempt from the alarm</summary>
${table({
  caption: 'They change with the age of the log by themselves',
  columns: [...COLUMNS, EXEMPT_MARK],
  rows: exempt,
})}
</details>`
}
</section>`;
}

const COLUMNS: readonly TableColumn<FeatureDrift>[] = [
  { heading: 'Feature', cell: ({ feature }) => featureLabel(feature) },
  { heading: 'Index', isNumber: true, cell: ({ psi }) => driftText(psi) },
  { heading: 'Level', cell: ({ psi }) => driftLevel(psi) },
];

const EXEMPT_MARK: TableColumn<FeatureDrift> = {
  heading: 'Mark',
  cell: () => html`<span class="tag plain">exempt</span>`,
};
