/** A run that succeeded, as the metrics that alarms and dashboards watch. Pure functions. */
import { largestFeatureDrift } from '../../lib/domain/drift.ts';
import { FORGOTTEN_USER } from '../../lib/domain/events.ts';
import type { RunDetail } from '../../lib/domain/records.ts';
import type { Measurements } from '../aws/lambda-handler.ts';

export function measurements({ record, ingest, training, scoring }: RunDetail): Measurements {
  const chosen = training.evaluations.find(({ model }) => model === training.chosen);
  const { read, quarantined } = ingest.counts;
  // Nothing is wrong with the rows of a user who is to be forgotten.
  const defective = quarantined - (ingest.refused[FORGOTTEN_USER.code] ?? 0);
  return {
    runsSucceeded: 1,
    rowsRead: read,
    quarantinePercent: read === 0 ? 0 : (100 * defective) / read,
    reconciliationMismatches: 0,
    modelPromoted: record.promoted === true ? 1 : 0,
    featureDrift: largestFeatureDrift(scoring.drift),
    scoreDrift: scoring.drift.score,
    ...(record.cost_usd === null ? {} : { costUsd: record.cost_usd }),
    ...(chosen?.metrics.auc === undefined ? {} : { areaUnderRocCurve: chosen.metrics.auc.value }),
  };
}
