/** A run that succeeded, as the metrics that alarms and dashboards watch. Pure functions. */
import { defectiveRows } from '../../domain/defective-rows.ts';
import { largestFeatureDrift } from '../../domain/drift-thresholds.ts';
import type { RunDetail } from '../../domain/records.ts';
import type { Measurements } from '../aws/lambda-handler.ts';

export function measurements({ record, ingest, training, scoring }: RunDetail): Measurements {
  const chosen = training.evaluations.find(({ model }) => model === training.chosen);
  const { read } = ingest.counts;
  return {
    runsSucceeded: 1,
    rowsRead: read,
    quarantinePercent: read === 0 ? 0 : (100 * defectiveRows(ingest)) / read,
    reconciliationMismatches: 0,
    modelPromoted: record.promoted === true ? 1 : 0,
    featureDrift: largestFeatureDrift(scoring.drift),
    scoreDrift: scoring.drift.score,
    ...(record.cost_usd === null ? {} : { costUsd: record.cost_usd }),
    ...(chosen?.metrics.auc === undefined ? {} : { areaUnderRocCurve: chosen.metrics.auc.value }),
  };
}
