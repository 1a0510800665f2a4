/** Whom to contact: what it costs and earns, the list, and the control group that is left out of it. */
import { profitOfContact, type Terms } from '../../../domain/money.ts';
import type { RunDetail } from '../../../domain/records.ts';
import type { ScoringResult } from '../../../domain/results.ts';
import type { ChartBook } from '../charts.ts';
import { type ContactData, type ListedUser, ROWS_AT_ONCE } from '../client/page-data.ts';
import { contactData, reasonsText, whyNoList } from '../contact-data.ts';
import { bars, type Figure, figuresOf } from '../contact-figures.ts';
import { money, percentText, whole } from '../figures-text.ts';
import { counted, percent } from '../format.ts';
import { type Html, html } from '../html.ts';
import { type TableColumn, table } from '../html-table.ts';
import { profitFigure } from './profit.ts';

type Control = ScoringResult['top'][number];

/** Control users that are shown: the rest of them is in the table `scores`. */
const MOST_CONTROL = 25;

export async function contactsSection(detail: RunDetail, book: ChartBook): Promise<Html> {
  const why = whyNoList(detail);
  const share = percent(detail.plan.scoring.controlGroupShare);
  if (why !== undefined) {
    return html`<section class="long" id="contacts"><h2>The list</h2>
<p class="verdict"><strong>Nobody should be contacted by this run's scores:</strong> ${why}.</p>
<p>The list comes back with the first run whose model can be trusted. Until then, contacting users chosen at random is as good, and
shows what contacting is worth.</p></section>`;
  }
  const data = contactData(detail);
  const { terms } = data;
  const listed = data.users.filter(({ probability }) => profitOfContact(probability, terms) >= 0);
  const figures = new Map([...figuresOf(data, terms), ...bars(terms)].map(({ name, text }) => [name, text]));
  return html`<section class="long${listed.length === 0 ? ' nobody' : ''}" id="contacts">
<h2>The list</h2>
<p>The list holds every user for whom a contact is expected to earn more than it costs. What that is depends on your terms: move
the sliders, and everything here follows. Amounts are in your own currency.</p>
<div class="terms-and-figures">
${termsForm(terms, figures)}
<dl class="tiles" aria-live="polite">
${tile('Contact from a probability of', 'break-even', figures)}
${tile('Users on the list', 'list-size', figures, 'list-share')}
${tile('Of whom expected to cancel', 'list-cancelling', figures)}
${tile('Expected profit of the list', 'list-profit', figures, 'list-each')}
</dl>
</div>
<p class="nobody-note"><strong>On these terms nobody is worth a contact:</strong> no user is likely enough to cancel. A cheaper offer, a
customer of higher value or an offer that more people accept makes the list longer.</p>
${await profitFigure(data, book)}
<p class="evidence" data-figure="tested">${figures.get('tested')}</p>
<div class="list-tools">
<label>Search <input type="search" placeholder="user, level or reason" autocomplete="off"></label>
<button type="button" class="download">Download as CSV</button>
<span class="shown" data-figure="shown" role="status">${counted(listed.length, 'user')}.</span>
</div>
${usersTable(listed, terms)}
<button type="button" class="more" hidden>Show more</button>
<p class="fine">The CSV is what is shown here, with your search and terms. All ${counted(detail.scoring.users, 'living user')} are in the
table <span class="id">scores</span> under this run.${campaignPlace(detail)} Reasons say what raises a user's score, not why the user would cancel.</p>
${controlGroup(
  detail.scoring.top.filter(
    ({ probability }) => probability !== null && profitOfContact(probability, terms) >= 0,
  ),
  share,
)}
</section>`;
}

/** The file with the list by the terms of the deployment. */
function campaignPlace({ scoring, plan }: RunDetail): Html | undefined {
  const { campaign = null } = scoring;
  if (campaign === null) return undefined;
  return html` By the terms of this deployment the list has ${counted(campaign.users, 'user')}: it is in <span class="id">${campaign.uri}</span>
for ${counted(plan.scoring.campaignDays, 'day')}.`;
}

interface Slider {
  readonly name: keyof Terms;
  readonly label: string;
  readonly least: number;
  readonly most: number;
  readonly step: number;
  readonly value: number;
}

function sliders({ offerCost, contactCost, customerValue, acceptance }: Terms): readonly Slider[] {
  return [
    { name: 'offerCost', label: 'Cost of the offer', least: 0, most: 100, step: 1, value: offerCost },
    { name: 'contactCost', label: 'Cost of a contact', least: 0, most: 20, step: 0.25, value: contactCost },
    {
      name: 'customerValue',
      label: 'Value of a customer who stays',
      least: 10,
      most: 1_000,
      step: 10,
      value: customerValue,
    },
    {
      name: 'acceptance',
      label: 'Accept the offer, of those about to cancel (%)',
      least: 1,
      most: 100,
      step: 1,
      value: 100 * acceptance,
    },
  ];
}

function termsForm(terms: Terms, figures: ReadonlyMap<string, string>): Html {
  return html`<form class="terms" autocomplete="off">
${sliders(terms).map(
  ({
    name,
    label,
    least,
    most,
    step,
    value,
  }) => html`<div class="slider"><label for="term-${name}">${label}</label>
<output for="term-${name}" data-figure="${name}">${figures.get(name)}</output>
<input type="range" id="term-${name}" name="${name}" min="${least}" max="${most}" step="${step}" value="${value}"></div>`,
)}
<button type="reset">Back to the defaults</button>
</form>`;
}

function tile(
  name: string,
  figure: string,
  figures: ReadonlyMap<Figure['name'], string>,
  remark?: string,
): Html {
  const small =
    remark === undefined ? undefined : html`<small data-figure="${remark}">${figures.get(remark)}</small>`;
  return html`<div class="tile"><dt>${name}</dt><dd><span data-figure="${figure}">${figures.get(figure)}</span>${small}</dd></div>`;
}

const HEADS = [
  { order: 'id', label: 'User', isNumber: false },
  { order: 'probability', label: 'Probability', isNumber: true },
  { order: 'value', label: 'Worth of a contact', isNumber: true },
  { order: 'level', label: 'Level', isNumber: false },
] as const;

/** The rows that are there without the script; it draws them again with all of them. */
function usersTable(users: ContactData['users'], terms: Terms): Html {
  const heads = HEADS.map(
    ({ order, label, isNumber }) =>
      html`<th scope="col" data-order="${order}"${
        isNumber ? html` class="number"` : ''
      } aria-sort="${order === 'value' ? 'descending' : 'none'}"><button type="button">${label}</button></th>`,
  );
  return html`<div class="scroll"><table class="users">
<caption>Users to contact, those whose contact is worth most first</caption>
<thead><tr>${heads}<th scope="col">What raises the score</th></tr></thead>
<tbody>
${users.slice(0, ROWS_AT_ONCE).map((user) => userRow(user, terms))}
</tbody>
</table></div>`;
}

function userRow({ id, probability, level, reasons }: ListedUser, terms: Terms): Html {
  return html`<tr><th scope="row"><bdi class="id">${id}</bdi></th><td class="number">${percentText(probability)}</td><td
class="number">${money(profitOfContact(probability, terms))}</td><td>${level}</td><td>${reasons}</td></tr>`;
}

const CONTROL_COLUMNS: readonly TableColumn<Control>[] = [
  { heading: 'User', cell: ({ userId }) => html`<bdi class="id">${userId}</bdi>` },
  {
    heading: 'Probability',
    isNumber: true,
    cell: ({ probability }) => (probability === null ? 'withheld' : percentText(probability)),
  },
  { heading: 'Level', cell: ({ level }) => level ?? 'unknown' },
  { heading: 'What raises the score', cell: ({ reasons }) => reasonsText(reasons) },
  { heading: 'Note', cell: () => html`<span class="tag plain">control group</span>` },
];

function controlGroup(top: readonly Control[], share: string): Html {
  const control = top.filter(({ inControlGroup }) => inControlGroup);
  return html`<h3>Left out: the control group</h3>
<p>${share} of the users, the same in every run, are never contacted: they show what would have happened without you.${
    control.length === 0 ? ' None of the users most at risk is among them.' : ''
  }</p>
${
  control.length === 0
    ? undefined
    : html`<details><summary>${counted(control.length, 'user')} with similar risk, but in the control group</summary>
${table({
  caption: `Do not contact: control group${control.length > MOST_CONTROL ? `, the first ${whole(MOST_CONTROL)}` : ''}`,
  columns: CONTROL_COLUMNS,
  rows: control.slice(0, MOST_CONTROL),
})}
</details>`
}`;
}
