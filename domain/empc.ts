/**
 * Expected maximum profit per user (EMPC, Verbraken et al. 2013): the acceptance of the offer is not known but Beta
 * distributed, and for each acceptance the best share of users is contacted.
 */
import { betaIncomplete } from './beta.ts';
import { ACCEPTANCE_WEIGHT, type Terms, type UserBin } from './money.ts';

/** Profit by acceptance when a given share of the users is contacted: `slope * acceptance + constant`. */
interface Line {
  readonly slope: number;
  readonly constant: number;
}

/** @param bins the most probable first; `expected` may be the number who did cancel */
export function expectedMaximumProfit(bins: readonly UserBin[], terms: Terms): number {
  const total = bins.reduce((sum, { users }) => sum + users, 0);
  if (total === 0) return 0;
  const alpha = terms.acceptance * ACCEPTANCE_WEIGHT;
  const beta = ACCEPTANCE_WEIGHT - alpha;
  if (alpha <= 0 || beta <= 0) {
    return (
      Math.max(...linesOf(bins, terms).map(({ slope, constant }) => slope * terms.acceptance + constant)) /
      total
    );
  }
  return (
    upperEnvelope(linesOf(bins, terms)).reduce((sum, { line, from, to }) => {
      const mean =
        terms.acceptance * (betaIncomplete(to, alpha + 1, beta) - betaIncomplete(from, alpha + 1, beta));
      const share = betaIncomplete(to, alpha, beta) - betaIncomplete(from, alpha, beta);
      return sum + line.slope * mean + line.constant * share;
    }, 0) / total
  );
}

function linesOf(
  bins: readonly UserBin[],
  { customerValue, offerCost, contactCost }: Terms,
): readonly Line[] {
  let [users, cancelling] = [0, 0];
  const lines = bins.map((bin) => {
    users += bin.users;
    cancelling += bin.expected;
    return {
      slope: cancelling * (customerValue - offerCost),
      constant: -cancelling * contactCost - (users - cancelling) * (offerCost + contactCost),
    };
  });
  return [{ slope: 0, constant: 0 }, ...lines];
}

/** For acceptances from 0 to 1, the line that is highest there. */
function upperEnvelope(
  lines: readonly Line[],
): readonly { readonly line: Line; readonly from: number; readonly to: number }[] {
  const pieces: { line: Line; from: number; to: number }[] = [];
  let from = 0;
  let line = highest(lines, 0);
  while (line !== undefined && from < 1) {
    const { slope, constant } = line;
    const next = lines
      .filter((other) => other.slope > slope)
      .map((other) => ({ other, at: (constant - other.constant) / (other.slope - slope) }))
      .filter(({ at }) => at >= from && at < 1)
      .sort((a, b) => a.at - b.at || b.other.slope - a.other.slope)[0];
    pieces.push({ line, from, to: next?.at ?? 1 });
    if (next === undefined) break;
    from = next.at;
    line = next.other;
  }
  return pieces;
}

function highest(lines: readonly Line[], acceptance: number): Line | undefined {
  const value = ({ slope, constant }: Line): number => slope * acceptance + constant;
  return lines.toSorted((a, b) => value(b) - value(a) || b.slope - a.slope)[0];
}
