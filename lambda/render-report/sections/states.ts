/** Where those who cancel live: a map of the states, drawn when the page is rendered, and the same as a table. */
import type { TrainedDetail } from '../../../domain/records.ts';
import type { Exploration } from '../../../domain/results.ts';
import { shareInterval } from '../../../domain/share-interval.ts';
import { US_STATES } from '../../../domain/us-states.ts';
import { counted, percent, whole } from '../format.ts';
import { type Html, html } from '../html.ts';
import { table } from '../html-table.ts';
import { MAP_SIZE, stateOutlines } from '../state-map.ts';

/** With fewer users a state is grey: a rate says next to nothing. */
const LEAST_USERS = 20;
/** Where fewer of the users have a place that names a state, the log is not of the USA, or places are written otherwise. */
const LEAST_PARSED = 0.5;
/** Shades of the map, the palest first: parts of the colour in a hundred. */
const SHADES = [18, 38, 58, 78, 98] as const;

interface StateRate {
  readonly name: string;
  readonly users: number;
  readonly share: number;
}

/** Undefined for results of older versions, and where places say too little. */
export function statesSection({ training: { exploration } }: TrainedDetail): Html | undefined {
  const rates = exploration === null ? undefined : stateRates(exploration);
  if (rates === undefined) return undefined;
  const shown = rates.filter(({ users }) => users >= LEAST_USERS);
  if (shown.length === 0) return undefined;
  const shares = shown.map(({ share }) => share);
  const scale = { low: Math.min(...shares), high: Math.max(...shares) };
  return html`<section class="long" id="states">
<h2>Where they live</h2>
<p>Of a metropolitan area in several states the first one counts. Grey: fewer than ${LEAST_USERS} users. Neighbouring shades are
seldom more than chance: the table has the intervals.</p>
<figure><h3 id="states-title">Share of users who cancelled, by state</h3>
${map(rates, scale)}
${legend(scale)}
</figure>
<details><summary>The map as a table</summary>
${ratesTable(rates)}
</details>
</section>`;
}

/** The rates of the states in the order of their users; undefined where too few users have a known one. */
function stateRates({ groups }: Exploration): readonly StateRate[] | undefined {
  const places = groups.filter(({ variable }) => variable === 'state');
  const usersOf = (some: typeof places): number =>
    some.reduce((sum, { churned, stayed }) => sum + churned + stayed, 0);
  const known = places.filter(({ value }) => US_STATES.has(value));
  if (usersOf(known) === 0 || usersOf(known) < LEAST_PARSED * usersOf(places)) return undefined;
  return known
    .map(({ value, churned, stayed }) => ({
      name: US_STATES.get(value) ?? value,
      users: churned + stayed,
      share: churned / (churned + stayed),
    }))
    .sort((a, b) => b.users - a.users || (a.name < b.name ? -1 : 1));
}

interface Scale {
  readonly low: number;
  readonly high: number;
}

function map(rates: readonly StateRate[], scale: Scale): Html {
  const rateOf = new Map(rates.map((rate) => [rate.name, rate]));
  const shapes = stateOutlines().map(({ name, path }) => {
    const rate = rateOf.get(name);
    return html`<path d="${path}" style="fill:${fill(rate, scale)}"><title>${rateText(name, rate)}</title></path>`;
  });
  const { width, height } = MAP_SIZE;
  return html`<svg class="states" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="states-title states-description">
<desc id="states-description">${description(rates)}</desc>
${shapes}
</svg>`;
}

function rateText(name: string, rate: StateRate | undefined): string {
  if (rate === undefined) return `${name}: no users`;
  if (rate.users < LEAST_USERS) return `${name}: ${counted(rate.users, 'user')}, too few`;
  return `${name}: ${percent(rate.share)} of ${counted(rate.users, 'user')} cancelled`;
}

function fill(rate: StateRate | undefined, scale: Scale): string {
  return rate === undefined || rate.users < LEAST_USERS ? 'var(--rule)' : shade(shadeOf(rate.share, scale));
}

function shade(index: number): string {
  return `color-mix(in srgb, var(--contrast) ${SHADES[index] ?? 0}%, var(--card))`;
}

function shadeOf(share: number, { low, high }: Scale): number {
  if (high === low) return 0;
  return Math.min(SHADES.length - 1, Math.floor((SHADES.length * (share - low)) / (high - low)));
}

function legend({ low, high }: Scale): Html {
  const step = (high - low) / SHADES.length;
  const shades = step === 0 ? SHADES.slice(0, 1) : SHADES;
  const parts = shades.map(
    (_, index) =>
      html`<li><span class="swatch" style="background:${shade(index)}"></span>${percent(low + index * step)} to ${percent(low + (index + 1) * step)}</li>`,
  );
  return html`<ul class="legend">${parts}<li><span class="swatch" style="background:var(--rule)"></span>fewer than ${LEAST_USERS} users</li></ul>`;
}

/** The ends of the scale in words. */
function description(rates: readonly StateRate[]): string {
  const shown = rates.filter(({ users }) => users >= LEAST_USERS).toSorted((a, b) => b.share - a.share);
  const said = (some: readonly StateRate[]): string =>
    some.map(({ name, share }) => `${name} ${percent(share)}`).join(', ');
  return `A map of ${counted(shown.length, 'state')} with at least ${LEAST_USERS} users. Highest: ${said(shown.slice(0, 3))}. Lowest: ${said(shown.slice(-3).reverse())}. The table below has them all.`;
}

function ratesTable(rates: readonly StateRate[]): Html {
  return table({
    caption: 'Users and those who cancelled, by state',
    columns: [
      { heading: 'State', cell: ({ name }) => name },
      { heading: 'Users', isNumber: true, cell: ({ users }) => whole(users) },
      {
        heading: 'Cancelled',
        isNumber: true,
        cell: ({ share, users }) => {
          const { low, high } = shareInterval(share, users);
          return html`${percent(share)}<small>${percent(low)} to ${percent(high)}</small>`;
        },
      },
    ],
    rows: rates,
  });
}
