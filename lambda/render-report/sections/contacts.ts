/** Which users to contact first. */
import type { RunDetail } from '../../../domain/records.ts';
import type { ScoringResult } from '../../../domain/results.ts';
import { counted, decimal, percent, whole } from '../format.ts';
import { type Html, html } from '../html.ts';
import { type TableColumn, table } from '../html-table.ts';
import { reasonLabel } from '../labels.ts';

type User = ScoringResult['top'][number] & { readonly rank: number };

const MOST_SHOWN = 50;

export function contactsSection({ scoring, plan }: RunDetail): Html {
  const ranked = scoring.top.map((user, index): User => ({ ...user, rank: index + 1 }));
  const contacts = ranked.filter((user) => !user.inControlGroup).slice(0, MOST_SHOWN);
  const control = ranked.filter((user) => user.inControlGroup);
  const share = percent(plan.scoring.controlGroupShare);
  return html`<section class="long" id="contacts">
<h2>Which users to contact first</h2>
<p>The users most at risk, with the main reasons. All ${counted(scoring.users, 'living user')} are in the table
<span class="id">scores</span> under this run. ${share} of the users form a control group: they are never contacted, so that
the effect of contacting can be measured.</p>
${
  contacts.length === 0
    ? html`<p>There is no user to contact.</p>`
    : table({
        caption: `The ${counted(contacts.length, 'user')} to contact first`,
        columns: COLUMNS,
        rows: contacts,
      })
}
${
  control.length === 0
    ? undefined
    : html`<details open><summary>${counted(control.length, 'user')} with similar risk, but in the control group</summary>
${table({ caption: 'Do not contact: control group', columns: [...COLUMNS, CONTROL_MARK], rows: control })}
</details>`
}
</section>`;
}

const COLUMNS: readonly TableColumn<User>[] = [
  { heading: 'User', cell: (user) => html`<bdi class="id">${user.userId}</bdi>` },
  { heading: 'Rank', isNumber: true, cell: (user) => whole(user.rank) },
  {
    heading: 'Probability of cancelling',
    cell: ({ probability }) =>
      probability === null
        ? html`withheld`
        : html`<span class="chance">${percent(probability)}</span><span class="track"><span class="bar"
style="width:${decimal(100 * Math.min(1, Math.max(0, probability)), 1)}%"></span></span>`,
  },
  { heading: 'Level', cell: (user) => user.level ?? 'unknown' },
  {
    heading: 'Main reasons',
    cell: (user) =>
      user.reasons.length === 0 ? 'nothing stands out' : user.reasons.map(reasonLabel).join(' · '),
  },
];

const CONTROL_MARK: TableColumn<User> = {
  heading: 'Note',
  cell: () => html`<span class="tag plain">control group</span>`,
};
