/** What "Whom to contact" shows for given terms, when the page is rendered and whenever its sliders move. */
import { expectedMaximumProfit } from '../../domain/empc.ts';
import { bestPoint, breakEven, listOf, profitCurve, type Terms, type UserBin } from '../../domain/money.ts';
import type { ContactData } from './client/page-data.ts';
import { money, percentText, whole } from './figures-text.ts';

export interface Figure {
  /** Where it is shown: `data-figure`. */
  readonly name: string;
  readonly text: string;
}

/** Points of the curve that are drawn. */
const MOST_POINTS = 240;
const LEAST_POINTS = 12;

export function figuresOf(
  { bins, tested, total }: Pick<ContactData, 'bins' | 'tested' | 'total'>,
  terms: Terms,
): readonly Figure[] {
  const list = listOf(bins, terms);
  const least = breakEven(terms);
  return [
    { name: 'break-even', text: least > 1 ? 'never' : percentText(least) },
    { name: 'list-size', text: whole(list.users) },
    {
      name: 'list-share',
      text:
        total === null || total === 0 ? '' : `${percentText(list.users / total)} of ${whole(total)} users`,
    },
    { name: 'list-cancelling', text: whole(list.cancelling) },
    { name: 'list-profit', text: money(list.profit) },
    {
      name: 'list-each',
      text: list.users === 0 ? '–' : `${money(list.profit / list.users)} a user contacted`,
    },
    { name: 'tested', text: testedText(tested, terms) },
  ];
}

/** What the same rule would have earned on the test users, whose outcome is known. */
function testedText(tested: readonly UserBin[], terms: Terms): string {
  const curve = profitCurve(tested, terms);
  const total = curve.at(-1)?.users ?? 0;
  if (total === 0) return 'The outcomes of the test users are not stored with this run.';
  const best = bestPoint(curve);
  const empc = expectedMaximumProfit(tested, terms);
  return (
    `On the ${whole(total)} test users, whose outcome is known, contacting the best ${percentText(best.users / total)} would ` +
    `have earned ${money(best.profit)}, ${money(best.profit / total)} for each test user; averaged over how many accept the offer, ` +
    `the expected maximum profit (EMPC) is ${money(empc)} for each.`
  );
}

/** The terms beside the sliders. */
export function bars(terms: Terms): readonly Figure[] {
  return [
    { name: 'offerCost', text: money(terms.offerCost) },
    { name: 'contactCost', text: money(terms.contactCost) },
    { name: 'customerValue', text: money(terms.customerValue) },
    { name: 'acceptance', text: percentText(terms.acceptance) },
  ];
}

/** Rows of the profit chart. */
export function profitRows(bins: readonly UserBin[], terms: Terms): readonly object[] {
  const whole = profitCurve(bins, terms);
  const shown = shownUsers(bins, terms);
  const curve = whole.filter(({ users }, index) => users <= shown || index < LEAST_POINTS);
  const step = Math.max(1, Math.ceil(curve.length / MOST_POINTS));
  return curve
    .filter((_, index) => index % step === 0 || index === curve.length - 1)
    .map(({ users, cancelling, profit, low, high }) => ({
      users,
      profit,
      low,
      high,
      cancelling: Math.round(cancelling),
    }));
}

/** Users whom the chart shows: beyond a few times the list the curve only falls. */
function shownUsers(bins: readonly UserBin[], terms: Terms): number {
  const all = bins.reduce((sum, { users }) => sum + users, 0);
  return Math.max(4 * listOf(bins, terms).users, Math.min(all, 50), all / 100);
}

/** The list on the profit chart. */
export function listMark(bins: readonly UserBin[], terms: Terms): readonly object[] {
  const { users, profit, cancelling } = listOf(bins, terms);
  return [{ users, profit, cancelling: Math.round(cancelling), label: `the list: ${whole(users)} users` }];
}
