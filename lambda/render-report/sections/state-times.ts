/** How long each state of the run took, and what its part of the cost was. */
import type { RunDetail, StateCost } from '../../../domain/records.ts';
import { isStateName, STATES } from '../../../domain/states.ts';
import { duration, percent, usd } from '../format.ts';
import { type Html, html } from '../html.ts';
import { type TableColumn, table } from '../html-table.ts';

/** Undefined for results of older versions, and where the times could not be read. */
export function stateTimesSection({ states, record }: RunDetail): Html | undefined {
  if (states === undefined || states.length === 0) return undefined;
  const seconds = states.reduce((sum, state) => sum + state.seconds, 0);
  const share = (state: StateCost): number => (seconds === 0 ? 0 : state.seconds / seconds);
  const slowest = states.reduce((most, state) => (state.seconds > most.seconds ? state : most));
  return html`<section class="long" id="state-times">
<h2>Where time and money went</h2>
<p>The states up to the one that stored these figures took ${duration(1_000 * seconds)}, most of it (${percent(share(slowest))})
${slowest.name}.${costText(states, record.cost_usd)}</p>
${table({
  caption: 'States that do work, in the order of the run',
  columns: [
    { heading: 'State', cell: ({ name }) => name },
    { heading: 'Took', isNumber: true, cell: (state) => duration(1_000 * state.seconds) },
    {
      heading: 'Share of the time',
      cell: (state) =>
        html`<span class="chance">${percent(share(state))}</span> <span class="track" aria-hidden="true"><span class="bar" style="width:${(100 * share(state)).toFixed(1)}%"></span></span>`,
    },
    ...(costsAnything(record.cost_usd) ? [COST] : []),
    { heading: 'What it does', cell: ({ name }) => (isStateName(name) ? STATES[name].does : '') },
  ],
  rows: states,
})}
</section>`;
}

const COST: TableColumn<StateCost> = {
  heading: 'Cost',
  isNumber: true,
  cell: ({ usd: amount }) => (amount === null ? 'unknown' : usd(amount)),
};

function costsAnything(total: number | null): boolean {
  return total === null || total > 0;
}

/** An instance costs from its start to its end, so some of it falls into no state. */
function costText(states: readonly StateCost[], total: number | null): string {
  if (!costsAnything(total)) return ' On this machine a run costs nothing.';
  const known = states.map((state) => state.usd);
  if (total === null || known.includes(null))
    return ' What they cost is unknown: the price table lacks an instance type.';
  const rest = total - known.reduce<number>((sum, amount) => sum + (amount ?? 0), 0);
  return (
    ` A state bears what the cluster's instances cost while the run was in it` +
    `${rest < 0.005 ? '' : `; ${usd(rest)} falls between the states`}.`
  );
}
