/** The notification about a run that succeeded. Pure functions. */
import { adaptedTexts } from '../../domain/adaptations.ts';
import { lakeText } from '../../domain/event-changes.ts';
import { livingBins } from '../../domain/living-bins.ts';
import { logWarnings, newestDayText } from '../../domain/log-state.ts';
import { metricsShownIn, metricText, modelLabel } from '../../domain/metrics.ts';
import { listOf } from '../../domain/money.ts';
import { nothingLearnt } from '../../domain/nothing-learnt.ts';
import { outcomeWarning } from '../../domain/outcome-watch.ts';
import type { RunDetail } from '../../domain/records.ts';
import { expiredText } from '../../domain/retention.ts';
import { scoringEvaluation, scoringModel } from '../../domain/scoring-evaluation.ts';
import { addDays } from '../../domain/time.ts';
import { returnsText } from '../../domain/users-text.ts';

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** "X of Y living users are expected to cancel between A and B", the run's answer. Both days are included. */
function headline(detail: RunDetail): string {
  const { scoring, plan, features } = detail;
  const nothing = nothingLearnt(detail);
  if (nothing !== undefined && features.cancellations === 0) return `${nothing}.`;
  const lastDay = addDays(scoring.cutoff, plan.training.horizonDays - 1);
  return (
    `${WHOLE.format(scoring.expectedCancellations)} of ${WHOLE.format(scoring.users)} living users ` +
    `are expected to cancel between ${scoring.cutoff} and ${lastDay}.`
  );
}

/** What the list is worth and where it is, without a user of it. */
function campaignText({ scoring, plan }: RunDetail): readonly string[] {
  const { campaign = null } = scoring;
  if (campaign === null) return [];
  const { terms, campaignDays } = plan.scoring;
  const users = `${WHOLE.format(campaign.users)} ${campaign.users === 1 ? 'user' : 'users'} to contact`;
  const profit = WHOLE.format(listOf(livingBins(scoring), terms).profit);
  return [`List: ${users}, expected to earn ${profit}, in ${campaign.uri} for ${campaignDays} days.`];
}

/** What was read and what was left, how many users are expected to cancel, the chosen model, and whether it was promoted. */
export function summarize(detail: RunDetail): string {
  const { record, plan, ingest, features, training } = detail;
  const { counts } = ingest;
  const lake = lakeText(ingest);
  const newest = newestDayText(detail);
  const nothing = nothingLearnt(detail);
  const returns = returnsText(features, (value) => WHOLE.format(value));
  const evaluation = scoringEvaluation(detail);
  const expired = expiredText(plan.expiredRuns.length);
  const shifted = outcomeWarning(detail.outcomes?.past ?? []);
  const metrics = evaluation?.metrics ?? {};
  const shown = metricsShownIn('notification').flatMap((metric) => {
    const estimate = metrics[metric.name];
    return estimate === undefined ? [] : [`${metric.label} ${metricText(metric, estimate.value)}`];
  });
  return [
    `Run ${record.run_id} succeeded. ${headline(detail)}`,
    `Read: ${WHOLE.format(counts.read)} rows, of which ${WHOLE.format(counts.accepted)} accepted, ` +
      `${WHOLE.format(counts.quarantined)} refused, ${WHOLE.format(counts.duplicates)} duplicates.`,
    ...(lake === undefined ? [] : [`Lake: ${lake}.`]),
    `Users: ${WHOLE.format(features.users)}, of whom ${WHOLE.format(features.cancellations)} have cancelled` +
      `${returns === undefined ? '' : `; ${returns}`}.`,
    `Model: ${modelLabel(scoringModel(detail))}${shown.length === 0 ? '' : ` (${shown.join(', ')})`}, ` +
      `${training === null ? 'nothing trained' : record.promoted ? 'promoted' : 'not promoted'}: ${record.promotion_reason}.`,
    ...(nothing === undefined || features.cancellations === 0 ? [] : [`${nothing}.`]),
    ...campaignText(detail),
    ...(newest === undefined ? [] : [`Newest day of the log: ${newest}.`]),
    ...adaptedTexts(ingest.adapted).map((text) => `${text}.`),
    ...logWarnings(detail).map((warning) => `${warning}.`),
    ...(shifted === undefined ? [] : [`${shifted}.`]),
    ...(training === null || training.reliable ? [] : [`Not reliable: ${training.reliabilityReason}.`]),
    ...(expired === undefined ? [] : [`Removed: ${expired}.`]),
    ...(record.cost_usd === null || record.cost_usd === 0
      ? []
      : [`Cost: ${record.cost_usd.toFixed(2)} USD.`]),
  ].join('\n');
}
