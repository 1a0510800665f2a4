/** Whom to contact, as data: or why there is no list. Pure functions. */
import { NOTHING_STANDS_OUT } from '../../domain/features/reason-words.ts';
import { livingBins } from '../../domain/living-bins.ts';
import { nothingLearnt } from '../../domain/nothing-learnt.ts';
import type { RunDetail } from '../../domain/records.ts';
import { scoringEvaluation } from '../../domain/scoring-evaluation.ts';
import { type ContactData, REASONS_SEPARATOR } from './client/page-data.ts';
import { printable } from './html.ts';
import { reasonLabel } from './labels.ts';

/** Users whom the page holds. */
const MOST_USERS = 2_000;

/** Why nobody should be contacted by this run's scores; undefined when the list can be used. */
export function whyNoList(detail: RunDetail): string | undefined {
  const { training, scoring, choice } = detail;
  if (choice === undefined || choice.list === 'no') {
    const nothing = nothingLearnt(detail);
    if (nothing !== undefined) return `${nothing.charAt(0).toLowerCase()}${nothing.slice(1)}`;
  }
  if (choice?.list === 'no') return choice.reasons[0] ?? 'nobody is in charge';
  if (choice?.list === 'order only') {
    return 'the probabilities are withheld (`churn score` shows the users in their order)';
  }
  if (choice === undefined && training !== null && !training.reliable)
    return `the model cannot be trusted: ${training.reliabilityReason}`;
  if (scoring.users === 0) return 'there is no living user to score';
  return undefined;
}

/** The list and what its sliders need. */
export function contactData(detail: RunDetail): ContactData {
  const { scoring, record, plan } = detail;
  const users = scoring.top.filter(({ inControlGroup }) => !inControlGroup).slice(0, MOST_USERS);
  return {
    terms: plan.scoring.terms,
    users: users.flatMap(({ userId, probability, level, reasons }) =>
      probability === null
        ? []
        : [
            {
              id: printable(userId),
              probability,
              level: printable(level ?? 'unknown'),
              reasons: printable(reasonsText(reasons)),
            },
          ],
    ),
    bins: livingBins(scoring),
    tested: (scoringEvaluation(detail)?.curve ?? []).map((bin) => ({
      users: bin.users,
      expected: bin.cancelled,
    })),
    total: scoring.probabilities?.reduce((sum, { users: count }) => sum + count, 0) ?? null,
    runId: printable(record.run_id),
  };
}

/** A user's reasons in words, the strongest first. */
export function reasonsText(reasons: readonly string[]): string {
  return reasons.length === 0 ? NOTHING_STANDS_OUT : reasons.map(reasonLabel).join(REASONS_SEPARATOR);
}
