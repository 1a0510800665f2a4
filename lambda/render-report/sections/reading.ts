/** What was read, what was refused and why, and the rows the models were trained on. */
import { ADAPTATIONS, adaptedTexts } from '../../../domain/adaptations.ts';
import { lakeText } from '../../../domain/event-changes.ts';
import { REFUSAL_REASONS } from '../../../domain/events.ts';
import { findingRemedy, findingText } from '../../../domain/findings.ts';
import type { RunDetail } from '../../../domain/records.ts';
import { returnsText } from '../../../domain/users-text.ts';
import { bytes, counted, day, percent, whole } from '../format.ts';
import { type Html, html } from '../html.ts';
import { table } from '../html-table.ts';

export const READING_HEADING = 'What was read';

const ROLES = { train: 'training', past: 'the record over time', test: 'test', score: 'scoring' } as const;

export function readingSection(detail: RunDetail): Html {
  const { ingest, features } = detail;
  const { counts, firstDay, lastDay } = ingest;
  const lake = lakeText(ingest);
  const returns = returnsText(features, whole);
  const period = firstDay === null || lastDay === null ? '' : `, ${day(firstDay)} to ${day(lastDay)}`;
  const share = (rows: number): string => percent(counts.read === 0 ? 0 : rows / counts.read);
  const outcomes = [
    { outcome: 'accepted as events', rows: counts.accepted },
    { outcome: 'refused', rows: counts.quarantined },
    { outcome: 'duplicates: copies of events in the lake', rows: counts.duplicates },
  ];
  return html`<section class="long" id="reading">
<h2>${READING_HEADING}</h2>
<p>${whole(counts.read)} rows in ${counted(ingest.filesRead, 'new file')} (${bytes(ingest.bytesRead)})${period}. The lake
now holds ${counted(features.users, 'user')} over ${counted(features.observedDays, 'day')}, of whom
${whole(features.cancellations)} cancelled${returns === undefined ? '' : `; ${returns}`}.${lake === undefined ? '' : ` It has ${lake}.`}</p>
${table({
  caption: 'Outcomes of the rows',
  columns: [
    { heading: 'Outcome', cell: ({ outcome }) => outcome },
    { heading: 'Rows', isNumber: true, cell: ({ rows }) => whole(rows) },
    { heading: 'Share', isNumber: true, cell: ({ rows }) => share(rows) },
  ],
  rows: outcomes,
})}
${adaptations(detail)}
${refusals(detail)}
<h3>The cutoffs used</h3>
${table({
  caption: 'At each cutoff, only earlier events are known',
  columns: [
    { heading: 'Cutoff', cell: ({ cutoff }) => day(cutoff) },
    { heading: 'Used for', cell: ({ role }) => ROLES[role] },
    { heading: 'Users', isNumber: true, cell: ({ rows }) => whole(rows) },
    {
      heading: 'Cancelled within the horizon',
      isNumber: true,
      cell: ({ cancellations }) => (cancellations === null ? 'not yet known' : whole(cancellations)),
    },
  ],
  rows: features.cutoffs,
})}
</section>`;
}

function adaptations({ ingest }: RunDetail): Html[] {
  const by = ingest.adapted?.by ?? [];
  const examples = ADAPTATIONS.filter(({ code }) => by.some(({ adaptation }) => adaptation === code)).map(
    ({ example }) => example,
  );
  return adaptedTexts(ingest.adapted).map(
    (text) => html`<p>${text}. For instance ${examples.join('; ')}.</p>`,
  );
}

function refusals({ ingest }: RunDetail): Html | undefined {
  const rows = REFUSAL_REASONS.flatMap((reason) => {
    const count = ingest.refused[reason.code] ?? 0;
    return count === 0 ? [] : [{ ...reason, count }];
  });
  if (rows.length === 0) return undefined;
  return html`<h3>Refused rows</h3>
${table({
  caption: 'Why rows were refused, and what to do',
  columns: [
    {
      heading: 'Reason',
      cell: ({ code, meaning }) => html`<span class="id">${code}</span><small>${meaning}</small>`,
    },
    { heading: 'Rows', isNumber: true, cell: ({ count }) => whole(count) },
    { heading: 'What to do', cell: ({ remedy }) => remedy },
  ],
  rows: rows.toSorted((a, b) => b.count - a.count),
})}
${findingsTable(ingest.findings ?? [])}
${
  ingest.examples.length === 0
    ? undefined
    : html`<details><summary>Examples</summary>${ingest.examples.map(
        ({ reason, file, line }) =>
          html`<p><span class="id">${reason}</span> in <span class="id">${file}</span></p><pre>${line}</pre>`,
      )}</details>`
}`;
}

function findingsTable(findings: NonNullable<RunDetail['ingest']['findings']>): Html | undefined {
  if (findings.length === 0) return undefined;
  return table({
    caption: 'What was found in the refused rows',
    columns: [
      { heading: 'Finding', cell: (finding) => findingText(finding) },
      { heading: 'Rows', isNumber: true, cell: ({ rows }) => whole(rows) },
      { heading: 'Files', isNumber: true, cell: ({ files }) => whole(files) },
      { heading: 'What to change', cell: (finding) => findingRemedy(finding) },
    ],
    rows: findings,
  });
}
