/** Closings, as the metrics that alarms and dashboards watch. Pure functions. */
import type { Measurements } from '../aws/lambda-handler.ts';
import type { Closing } from './close-one-run.ts';

/** A closing that is done again counts no failure and no cost: the first one told people. */
export function closingMeasurements(closings: readonly Closing[]): Measurements {
  const failed = closings.filter(({ outcome, notified }) => outcome === 'failed' && notified);
  const costs = failed.flatMap(({ costUsd }) => costUsd ?? []);
  return {
    runsFailed: failed.length,
    clustersTerminatedByClosing: closings.reduce((sum, closing) => sum + closing.clustersTerminated, 0),
    // The budget is one run's: of several that a sweep closes, the dearest is held against it.
    ...(costs.length === 0 ? {} : { costUsd: Math.max(...costs) }),
  };
}
