/** The CloudWatch metrics of closings. Pure functions. */
import type { Measurements } from '../aws/lambda-handler.ts';
import type { Closing } from './close-one-run.ts';

/** A repeated closing counts no failure and no cost: only the first one has notified people. */
export function closingMeasurements(closings: readonly Closing[]): Measurements {
  const failed = closings.filter(({ outcome, notified }) => outcome === 'failed' && notified);
  const costs = failed.flatMap(({ costUsd }) => costUsd ?? []);
  return {
    runsFailed: failed.length,
    clustersTerminatedByClosing: closings.reduce((sum, closing) => sum + closing.clustersTerminated, 0),
    // The budget is for one run: if a sweep closes several, the most expensive is compared with it.
    ...(costs.length === 0 ? {} : { costUsd: Math.max(...costs) }),
  };
}
