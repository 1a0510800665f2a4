/** How far the scored users differ from the test users. */
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

/** Features that are shown at once, the others when they are asked for. */
const MOST_SHOWN = 12;

export const DRIFT_HEADING = 'Have the users changed?';

/** An index as the report writes it. */
export const driftText = (index: number): string => decimal(index, 2);

/** The users that the scored users are compared with; undefined where there were none. */
export function comparedWith({
  training,
  scoring,
}: RunDetail): { readonly testCutoff: string; readonly users: number } | undefined {
  const { comparedWith: stored } = scoring.drift;
  if (stored !== undefined) return stored ?? undefined;
  return training === null ? undefined : { testCutoff: training.testCutoff, users: training.testRows };
}

export function driftSection(detail: RunDetail): Html | undefined {
  const { scoring } = detail;
  const { features, score } = scoring.drift;
  const tested = comparedWith(detail);
  if (tested === undefined) return undefined;
  const drifted = features.filter(({ psi }) => driftLevel(psi) !== 'steady');
  const watched = drifted.filter(({ feature }) => !isExemptFromDriftAlarm(feature));
  const exempt = drifted.filter(({ feature }) => isExemptFromDriftAlarm(feature));
  const chance = driftByChance(tested.users, scoring.users);
  return html`<section class="long" id="drift">
<h2>${DRIFT_HEADING}</h2>
<p>Drift shows whether the test metrics still apply to the users being scored. It is the population stability index of
${counted(features.length, 'feature')} and of the score: users as known on ${day(scoring.cutoff)}, compared with the test
users, as known on ${day(tested.testCutoff)}. 0 means no change; ${driftText(DRIFT_THRESHOLDS.watch)} or more is worth a
look, ${driftText(DRIFT_THRESHOLDS.alarm)} or more raises an alarm. The score has ${driftText(score)}: ${driftLevel(score)}.</p>
${
  chance < DRIFT_THRESHOLDS.watch
    ? undefined
    : html`<p>With so few users, chance alone takes one feature in 20 to ${driftText(chance)} or more.</p>`
}
${
  watched.length === 0
    ? html`<p>No feature has drifted enough to be worth a look.</p>`
    : driftedTable(watched)
}
${
  exempt.length === 0
    ? undefined
    : html`<details><summary>${counted(exempt.length, 'feature')} drifted and exempt from the alarm</summary>
${table({
  caption: 'These features change with the age of the log by themselves',
  columns: [...COLUMNS, EXEMPT_MARK],
  rows: exempt,
})}
</details>`
}
</section>`;
}

function driftedTable(watched: readonly FeatureDrift[]): Html {
  const caption = 'Features that have drifted, the furthest first';
  const others = watched.slice(MOST_SHOWN);
  return html`${table({ caption, columns: COLUMNS, rows: watched.slice(0, MOST_SHOWN) })}
${
  others.length === 0
    ? undefined
    : html`<details><summary>${counted(others.length, 'more feature')}</summary>
${table({ caption: `${caption}: the others`, columns: COLUMNS, rows: others })}
</details>`
}`;
}

const COLUMNS: readonly TableColumn<FeatureDrift>[] = [
  { heading: 'Feature', cell: ({ feature }) => featureLabel(feature) },
  { heading: 'Index', isNumber: true, cell: ({ psi }) => driftText(psi) },
  { heading: 'Level', cell: ({ psi }) => driftLevel(psi) },
];

const EXEMPT_MARK: TableColumn<FeatureDrift> = {
  heading: 'Note',
  cell: () => html`<span class="tag plain">exempt</span>`,
};
