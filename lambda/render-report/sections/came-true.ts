/** What came true of earlier runs: the newest whose horizon has passed, by tenth, and what contacting its list achieved. */
import { isFound } from '../../../domain/campaign-effect.ts';
import type { OutcomeRow } from '../../../domain/outcomes.ts';
import { overObserved } from '../../../domain/predicted-observed.ts';
import type { RunDetail } from '../../../domain/records.ts';
import { shareInterval } from '../../../domain/share-interval.ts';
import { addDays } from '../../../domain/time.ts';
import type { ChartBook } from '../charts.ts';
import { between, counted, day, decimal, percent, whole } from '../format.ts';
import { type Html, html } from '../html.ts';
import { table } from '../html-table.ts';
import { lineOverTime } from '../line-over-time.ts';

export const CAME_TRUE_HEADING = 'What came true';

/** Undefined in reports of older versions. */
export async function cameTrueSection(
  { outcomes, plan, scoring }: RunDetail,
  book: ChartBook,
): Promise<Html | undefined> {
  if (outcomes === undefined) return undefined;
  const all = outcomes.newest.find(({ part }) => part === 'all');
  if (all === undefined) {
    const known = addDays(scoring.cutoff, plan.training.horizonDays);
    return html`<section id="came-true">
<h2>${CAME_TRUE_HEADING}</h2>
<p>Nothing yet: of no run has the horizon passed. Of this one it is known once the log reaches ${day(known)}.</p>
</section>`;
  }
  const deciles = outcomes.newest.filter(({ part }) => part === 'decile');
  const rows = [...deciles, all];
  return html`<section id="came-true">
<h2>${CAME_TRUE_HEADING}</h2>
<p>The newest run whose horizon has passed is <span class="id">${all.run_id}</span>, which scored ${counted(all.users, 'user')} as of
${day(all.cutoff)}. ${summary(all)}</p>
${table({
  caption: `Users by score, and who cancelled between ${between(all.cutoff, addDays(all.horizon_end, -1))}`,
  columns: [
    { heading: 'Users', cell: ({ decile }) => (decile === null ? 'all' : decileText(decile)) },
    { heading: 'Number', isNumber: true, cell: ({ users }) => whole(users) },
    { heading: 'Predicted', isNumber: true, cell: predictedText },
    { heading: 'Cancelled', isNumber: true, cell: ({ observed }) => whole(observed) },
    { heading: 'Share who cancelled', isNumber: true, cell: shareCell },
    { heading: 'Predicted / cancelled', isNumber: true, cell: ratioCell },
  ],
  rows,
  isChosen: ({ part }) => part === 'all',
})}
${campaignText(outcomes.newest)}
${await overTime(outcomes.past, book)}
</section>`;
}

function summary({ predicted, observed }: OutcomeRow): string {
  if (predicted === null) return `${whole(observed)} cancelled; the probabilities were withheld.`;
  const ratio = overObserved(predicted, observed);
  const judged =
    ratio === undefined
      ? ''
      : ratio.credible
        ? ' The difference may be chance or a small error.'
        : ' That is further off than chance and a small error explain.';
  return `${whole(predicted)} were predicted to cancel, ${whole(observed)} did.${judged}`;
}

function decileText(decile: number): string {
  return decile === 1 ? 'tenth most at risk' : `tenth ${decile}`;
}

function predictedText({ predicted }: OutcomeRow): string {
  return predicted === null ? 'withheld' : decimal(predicted, 1);
}

function shareCell({ users, observed }: OutcomeRow): Html {
  if (users === 0) return html`–`;
  const { low, high } = shareInterval(observed / users, users);
  return html`${percent(observed / users)}<small>${percent(low)} to ${percent(high)}</small>`;
}

function ratioCell({ predicted, observed }: OutcomeRow): Html {
  const ratio = predicted === null ? undefined : overObserved(predicted, observed);
  if (ratio === undefined || ratio.low === null || ratio.high === null) return html`–`;
  return html`${decimal(ratio.value, 2)}<small>${decimal(ratio.low, 2)} to ${decimal(ratio.high, 2)}</small>`;
}

/** The effect of contacting, with what could have been seen: an effect that is not found may be there. */
function campaignText(rows: readonly OutcomeRow[]): Html {
  const list = rows.find(({ part }) => part === 'list');
  const control = rows.find(({ part }) => part === 'control');
  if (list === undefined || control === undefined)
    return html`<p>That run had no list, so there is no effect of contacting to measure.</p>`;
  const { effect, effect_low: low, effect_high: high } = list;
  if (effect === null || low === null || high === null)
    return html`<p>Nobody of the control group would have been on the list of that run (or nobody was on it), so the effect of contacting
cannot be measured.</p>`;
  const shares =
    `Of the ${counted(list.users, 'user')} on the list ${percent(list.observed / list.users)} cancelled, of the ` +
    `${counted(control.users, 'user')} of the control group who would have been on it ${percent(control.observed / control.users)}`;
  return html`<h3>Did contacting help?</h3>
<p>${shares}: ${points(effect)} ${effect < 0 ? 'more' : 'fewer'} of the list, ${range(low, high)} with 95% confidence.
${verdict(list)} ${smallestText(list)} Everyone on the list counts, whoever was really contacted.</p>`;
}

function points(effect: number): string {
  return `${decimal(Math.abs(effect) * 100, 1)} percentage points`;
}

/** "between 2.0 fewer and 1.0 more": the interval of the effect, in percentage points. */
function range(low: number, high: number): string {
  const side = (effect: number): string =>
    `${decimal(Math.abs(effect) * 100, 1)} ${effect < 0 ? 'more' : 'fewer'}`;
  return `between ${side(low)} and ${side(high)}`;
}

function verdict({ effect_low: low, effect_high: high }: OutcomeRow): string {
  if (low === null || high === null) return '';
  if (!isFound({ low, high })) return 'That may be chance.';
  return low > 0 ? 'Contacting has kept users.' : 'Those who were to be contacted cancelled more often.';
}

function smallestText({ smallest_effect: smallest }: OutcomeRow): string {
  return smallest === null
    ? 'With so few users not even keeping everyone would have been found in 80 of 100 cases.'
    : `With so many users an effect of ${points(smallest)} or more is found in 80 of 100 cases; a smaller one often is not.`;
}

/** Predicted over cancelled by cutoff; nothing with fewer than two. */
async function overTime(
  past: NonNullable<RunDetail['outcomes']>['past'],
  book: ChartBook,
): Promise<Html | undefined> {
  const values = past.flatMap(({ runId, cutoff, predicted, observed }) => {
    const ratio = predicted === null ? undefined : overObserved(predicted, observed);
    return ratio === undefined
      ? []
      : [{ at: cutoff, run: runId, value: ratio.value, low: ratio.low, high: ratio.high }];
  });
  if (values.length < 2) return undefined;
  return html`<figure><h3>Predicted over cancelled, run after run</h3>${await lineOverTime(book, {
    id: 'came-true-over-time',
    title: 'Predicted over cancelled',
    format: '.2f',
    values,
    description: `Predicted over observed cancellations of the runs whose horizon has passed, from ${day(values[0]?.at ?? '')}`,
  })}<figcaption>By scoring cutoff; 1 is right. Bars: what chance leaves possible (95%). Where more or fewer cancel than predicted for
longer than chance explains, the page says so at its beginning.</figcaption></figure>`;
}
