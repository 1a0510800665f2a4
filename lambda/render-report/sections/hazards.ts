/** On which days users leave: by day of the week, and by days since the last change of subscription. */
import { HAZARD_VARIABLES, hazardOf } from '../../../domain/hazards.ts';
import type { TrainedDetail } from '../../../domain/records.ts';
import type { Hazard } from '../../../domain/results.ts';
import { type ChartBook, COLOURS } from '../charts.ts';
import { decimal, whole } from '../format.ts';
import { type Html, html } from '../html.ts';
import { table } from '../html-table.ts';

/** With fewer users a hazard says next to nothing. */
const LEAST_USERS = 20;
/** Hazards are shown for so many days. */
const PER_DAYS = 1_000;

interface Part {
  readonly value: string;
  readonly users: number;
  readonly days: number;
  readonly cancelled: number;
  /** Cancellations per 1,000 days at risk, with the 95 % interval. */
  readonly hazard: number;
  readonly low: number;
  readonly high: number;
}

/** Undefined for results of older versions, and where nobody cancelled. */
export async function hazardsSection(
  { training: { exploration } }: TrainedDetail,
  book: ChartBook,
): Promise<Html | undefined> {
  const hazards = exploration?.hazards ?? [];
  if (hazards.every(({ cancelled }) => cancelled === 0)) return undefined;
  const figures = await Promise.all(
    HAZARD_VARIABLES.map(async ({ name, label, values }) => {
      const parts = values.flatMap((value) =>
        hazards.flatMap((one) =>
          one.variable === name && one.value === value && one.users >= LEAST_USERS ? [partOf(one)] : [],
        ),
      );
      if (parts.length < 2) return undefined;
      return html`<figure><h3>${label}</h3>${await chart(name, label, parts, book)}
<details><summary>The figures</summary>${figuresTable(label, parts)}</details></figure>`;
    }),
  );
  return html`<section class="long" id="hazards">
<h2>On which days they leave</h2>
<p>Cancellations per ${whole(PER_DAYS)} days at risk. A user is at risk on every day from the first in the log, or from a return, to
the one of the cancellation, active or not. The bars are 95% intervals; a value with fewer than ${LEAST_USERS} users is left out. Days
since the last change count from an upgrade or downgrade in the log, and the day of the change is day 0.</p>
<div class="pair">${figures.flatMap((figure) => figure ?? [])}</div>
</section>`;
}

function partOf({ value, users, days, cancelled }: Hazard): Part {
  const { hazard, low, high } = hazardOf({ days, cancelled });
  const perDays = (figure: number | null): number => PER_DAYS * (figure ?? 0);
  return { value, users, days, cancelled, hazard: perDays(hazard), low: perDays(low), high: perDays(high) };
}

function chart(id: string, label: string, parts: readonly Part[], book: ChartBook): Promise<Html> {
  const y = {
    field: 'value',
    type: 'nominal',
    sort: parts.map(({ value }) => value),
    axis: { title: null },
  } as const;
  const tooltip = [
    { field: 'value', title: 'day' },
    { field: 'users', title: 'users', type: 'quantitative', format: ',' },
    { field: 'days', title: 'days at risk', type: 'quantitative', format: ',' },
    { field: 'cancelled', title: 'cancelled', type: 'quantitative', format: ',' },
    { field: 'hazard', title: 'per 1,000 days', type: 'quantitative', format: '.2f' },
    { field: 'low', title: 'at least', type: 'quantitative', format: '.2f' },
    { field: 'high', title: 'at most', type: 'quantitative', format: '.2f' },
  ] as const;
  return book.draw(
    `hazard-by-${id.replaceAll('_', '-')}`,
    {
      width: 260,
      height: { step: 20 },
      data: { values: [...parts] },
      layer: [
        {
          mark: { type: 'rule', color: COLOURS.accent, strokeWidth: 2, opacity: 0.5 },
          encoding: {
            y,
            x: {
              field: 'low',
              type: 'quantitative',
              scale: { zero: true },
              axis: { title: 'cancellations per 1,000 days at risk', tickCount: 5 },
            },
            x2: { field: 'high' },
            tooltip: [...tooltip],
          },
        },
        {
          mark: { type: 'point', filled: true, size: 60, color: COLOURS.accent, opacity: 1 },
          encoding: { y, x: { field: 'hazard', type: 'quantitative' }, tooltip: [...tooltip] },
        },
      ],
    },
    `${label}, cancellations per 1,000 days at risk: ${parts
      .map(({ value, hazard }) => `${value} ${decimal(hazard, 2)}`)
      .join(', ')}`,
  );
}

function figuresTable(label: string, parts: readonly Part[]): Html {
  return table({
    caption: label,
    columns: [
      { heading: 'Day', cell: ({ value }) => value },
      { heading: 'Users', isNumber: true, cell: ({ users }) => whole(users) },
      { heading: 'Days at risk', isNumber: true, cell: ({ days }) => whole(days) },
      { heading: 'Cancelled', isNumber: true, cell: ({ cancelled }) => whole(cancelled) },
      {
        heading: 'Per 1,000 days',
        isNumber: true,
        cell: ({ hazard, low, high }) =>
          html`${decimal(hazard, 2)}<small>${decimal(low, 2)} to ${decimal(high, 2)}</small>`,
      },
    ],
    rows: parts,
  });
}
