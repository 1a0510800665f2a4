/** Who leaves: users who cancelled beside those who stayed, over all that the log holds of them. */
import {
  EXPLORED_MEASURES,
  EXPLORED_PAGES,
  EXPLORED_QUANTILES,
  EXPLORED_VARIABLES,
  type ExploredVariable,
  WEEKDAYS,
} from '../../../domain/exploration.ts';
import type { TrainedDetail } from '../../../domain/records.ts';
import type { Exploration } from '../../../domain/results.ts';
import { shareInterval } from '../../../domain/share-interval.ts';
import { type ChartBook, COLOURS } from '../charts.ts';
import { counted, decimal, percent, whole } from '../format.ts';
import { type Html, html } from '../html.ts';
import { table } from '../html-table.ts';
import { hoursFigure } from './hours-of-use.ts';

/** Of a variable with many values, so many are drawn. */
const MOST_VALUES = 12;
/** With fewer users a rate says next to nothing. */
const LEAST_USERS = 20;
const CHURNED = 'cancelled';
const STAYED = 'stayed';

type Group = Exploration['groups'][number];

/** Undefined for results of older versions, and where nobody cancelled or nobody stayed: there is nothing to compare. */
export async function whoLeavesSection(
  { training: { exploration } }: TrainedDetail,
  book: ChartBook,
): Promise<Html | undefined> {
  if (exploration === null || exploration.churned === 0 || exploration.stayed === 0) return undefined;
  const { churned, stayed } = exploration;
  const variables = await Promise.all(
    EXPLORED_VARIABLES.map((variable) => ratesFigure(variable, exploration, book)),
  );
  return html`<section class="long" id="who-cancelled">
<h2>Users who cancelled, beside those who stayed</h2>
<p>${counted(churned, 'user')} cancelled at least once (${percent(churned / (churned + stayed))} of ${whole(churned + stayed)}), ${whole(stayed)} did
not. These figures look at whole histories, up to the cancellation itself: they describe who left, and predict nothing. The bars
are 95% intervals; a value with fewer than ${LEAST_USERS} users is left out.</p>
<div class="pair">${variables.flatMap((figure) => figure ?? [])}</div>
${measuresTable(exploration)}
<div class="pair">
${await pagesFigure(exploration, book)}
${await weekdaysFigure(exploration, book)}
${await hoursFigure(exploration, book)}
</div>
</section>`;
}

/** The values of a variable in the order in which they are shown, with users enough. */
function groupsOf({ name, values }: ExploredVariable, { groups }: Exploration): readonly Group[] {
  const own = groups.filter(
    ({ variable, churned, stayed }) => variable === name && churned + stayed >= LEAST_USERS,
  );
  const place = ({ value }: Group): number => {
    const known = values?.indexOf(value) ?? -1;
    return known === -1 ? Number.POSITIVE_INFINITY : known;
  };
  const ordered = values === undefined ? own : own.toSorted((a, b) => place(a) - place(b));
  return ordered.slice(0, MOST_VALUES);
}

async function ratesFigure(
  variable: ExploredVariable,
  exploration: Exploration,
  book: ChartBook,
): Promise<Html | undefined> {
  const groups = groupsOf(variable, exploration);
  if (groups.length < 2) return undefined;
  const values = groups.map(({ value, churned, stayed }) => {
    const users = churned + stayed;
    return { value, users, share: churned / users, ...shareInterval(churned / users, users) };
  });
  const order = values.map(({ value }) => value);
  const overall = exploration.churned / (exploration.churned + exploration.stayed);
  const y = { field: 'value', type: 'nominal', sort: order, axis: { title: null } } as const;
  const tooltip = [
    { field: 'value', title: variable.label.toLowerCase() },
    { field: 'users', title: 'users', type: 'quantitative', format: ',' },
    { field: 'share', title: 'cancelled', type: 'quantitative', format: '.1%' },
    { field: 'low', title: 'at least', type: 'quantitative', format: '.1%' },
    { field: 'high', title: 'at most', type: 'quantitative', format: '.1%' },
  ] as const;
  const chart = await book.draw(
    `cancelled-by-${variable.name}`,
    {
      width: 260,
      height: { step: 20 },
      layer: [
        {
          data: { values: [{ overall }] },
          mark: { type: 'rule', color: COLOURS.neutral, strokeDash: [4, 4] },
          encoding: { x: { field: 'overall', type: 'quantitative' } },
        },
        {
          data: { values },
          mark: { type: 'rule', color: COLOURS.accent, strokeWidth: 2, opacity: 0.5 },
          encoding: {
            y,
            x: {
              field: 'low',
              type: 'quantitative',
              scale: { zero: true },
              axis: { title: 'share of users who cancelled', format: '.0%', tickCount: 5 },
            },
            x2: { field: 'high' },
            tooltip: [...tooltip],
          },
        },
        {
          data: { values },
          mark: { type: 'point', filled: true, size: 60, color: COLOURS.accent, opacity: 1 },
          encoding: { y, x: { field: 'share', type: 'quantitative' }, tooltip: [...tooltip] },
        },
      ],
    },
    `${variable.label}: ${values.map(({ value, share }) => `${value} ${percent(share)}`).join(', ')}`,
  );
  return html`<figure><h3>${variable.label}</h3>${chart}</figure>`;
}

function measuresTable({ measures }: Exploration): Html {
  const middle = EXPLORED_QUANTILES.indexOf(0.5);
  const [lower, upper] = [EXPLORED_QUANTILES.indexOf(0.25), EXPLORED_QUANTILES.indexOf(0.75)];
  const cell = (quantiles: readonly number[]): Html | string => {
    const [median, low, high] = [quantiles[middle], quantiles[lower], quantiles[upper]];
    if (median === undefined || low === undefined || high === undefined) return '–';
    return html`${decimal(median, 1)}<small>${decimal(low, 1)} to ${decimal(high, 1)}</small>`;
  };
  const labels = new Map(EXPLORED_MEASURES.map(({ name, label }) => [name, label]));
  return table({
    caption: 'What users did: the median, and the middle half of the users',
    columns: [
      { heading: 'Measure', cell: ({ name }) => labels.get(name) ?? name },
      { heading: 'Cancelled', isNumber: true, cell: ({ churned }) => cell(churned) },
      { heading: 'Stayed', isNumber: true, cell: ({ stayed }) => cell(stayed) },
    ],
    rows: measures,
  });
}

/** How many times as often those who cancelled visit each page in an hour of use. */
async function pagesFigure({ pages }: Exploration, book: ChartBook): Promise<Html | undefined> {
  const labels = new Map(EXPLORED_PAGES.map(({ column, page }) => [column, page]));
  const values = pages
    .flatMap(({ name, churned, stayed }) =>
      churned === null || stayed === null || churned === 0 || stayed === 0
        ? []
        : [{ page: labels.get(name) ?? name, churned, stayed, times: churned / stayed }],
    )
    .sort((a, b) => b.times - a.times);
  if (values.length === 0) return undefined;
  const x = {
    type: 'quantitative',
    scale: { type: 'log' },
    axis: { title: 'times as often as those who stayed', format: '~g', tickCount: 5 },
  } as const;
  const chart = await book.draw(
    'pages-of-those-who-cancelled',
    {
      width: 260,
      height: { step: 18 },
      layer: [
        {
          data: { values: [{ one: 1 }] },
          mark: { type: 'rule', color: COLOURS.neutral, strokeDash: [4, 4] },
          encoding: { x: { field: 'one', ...x } },
        },
        {
          data: { values },
          mark: { type: 'point', filled: true, size: 60, color: COLOURS.contrast, opacity: 1 },
          encoding: {
            y: {
              field: 'page',
              type: 'nominal',
              sort: values.map(({ page }) => page),
              axis: { title: null },
            },
            x: { field: 'times', ...x },
            tooltip: [
              { field: 'page', title: 'page' },
              { field: 'churned', title: `an hour, ${CHURNED}`, type: 'quantitative', format: '.3f' },
              { field: 'stayed', title: `an hour, ${STAYED}`, type: 'quantitative', format: '.3f' },
              { field: 'times', title: 'times as often', type: 'quantitative', format: '.2f' },
            ],
          },
        },
      ],
    },
    `Visits of pages per hour of use, those who cancelled over those who stayed: ${values
      .map(({ page, times }) => `${page} ${decimal(times, 2)}`)
      .join(', ')}`,
  );
  return html`<figure><h3>Pages per hour of use</h3>${chart}</figure>`;
}

async function weekdaysFigure({ weekdays }: Exploration, book: ChartBook): Promise<Html | undefined> {
  // Monday first: the analyst's week.
  const order = [...WEEKDAYS.slice(1), ...WEEKDAYS.slice(0, 1)];
  const values = weekdays.flatMap(({ name, churned, stayed }) =>
    churned === null || stayed === null
      ? []
      : [
          { weekday: name, users: CHURNED, share: churned },
          { weekday: name, users: STAYED, share: stayed },
        ],
  );
  if (values.length === 0) return undefined;
  const chart = await book.draw(
    'weekdays-of-use',
    {
      width: { step: 18 },
      height: 200,
      data: { values },
      mark: 'bar',
      encoding: {
        x: {
          field: 'weekday',
          type: 'nominal',
          sort: order,
          axis: { title: null, labelExpr: 'slice(datum.label, 0, 3)' },
        },
        xOffset: { field: 'users', type: 'nominal', sort: [CHURNED, STAYED] },
        y: {
          field: 'share',
          type: 'quantitative',
          axis: { title: 'share of their events', format: '.0%', tickCount: 5 },
        },
        color: {
          field: 'users',
          type: 'nominal',
          scale: { domain: [CHURNED, STAYED], range: [COLOURS.contrast, COLOURS.accent] },
          legend: { title: null, orient: 'bottom' },
        },
        tooltip: [
          { field: 'weekday', title: 'day' },
          { field: 'users', title: 'users' },
          { field: 'share', title: 'share of their events', type: 'quantitative', format: '.1%' },
        ],
      },
    },
    'Share of the events on each day of the week, of those who cancelled and of those who stayed',
  );
  return html`<figure><h3>Days of the week (UTC)</h3>${chart}</figure>`;
}
