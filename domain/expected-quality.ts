/**
 * How well today's scores should rank the users, before it is known who cancels: computed from the probabilities alone, as if
 * each were right (the idea of NannyML's confidence-based performance estimation). Pure functions.
 */
import { PROBABILITY_BINS } from './models.ts';
import type { ProbabilityBin } from './results.ts';

export interface ExpectedQuality {
  /** Area under the ROC curve that is to be expected. */
  readonly auc: number;
  /** Rate of cancellations among the tenth of the users at the top, over that of all. */
  readonly liftAt10: number;
}

const TOP_SHARE = 0.1;

/** Undefined where there is nothing to rank: no users, or all or none of them expected to cancel. */
export function expectedQuality(bins: readonly ProbabilityBin[]): ExpectedQuality | undefined {
  const groups = bins
    .map(({ bin, users, expected, control }) => ({
      bin,
      users: users + control,
      // Of the control group only the number is known; its users lie in the middle of the bin.
      cancel: expected + control * ((bin + 0.5) / PROBABILITY_BINS),
    }))
    .filter(({ users }) => users > 0)
    .sort((a, b) => b.bin - a.bin);
  const users = groups.reduce((sum, group) => sum + group.users, 0);
  const cancel = groups.reduce((sum, group) => sum + group.cancel, 0);
  if (users === 0 || cancel <= 0 || cancel >= users) return undefined;
  let [above, area, top, taken] = [0, 0, 0, 0];
  for (const group of groups) {
    // A pair within a bin is ranked rightly half of the time.
    area += (group.users - group.cancel) * (above + group.cancel / 2);
    above += group.cancel;
    const more = Math.min(group.users, TOP_SHARE * users - taken);
    if (more > 0) {
      top += (group.cancel * more) / group.users;
      taken += more;
    }
  }
  return { auc: area / (cancel * (users - cancel)), liftAt10: top / cancel / TOP_SHARE };
}
