/** The CloudWatch metrics of a run that succeeded. Pure functions. */
import { defectiveRows } from '../../domain/defective-rows.ts';
import { largestFeatureDrift } from '../../domain/drift-thresholds.ts';
import { filesPassedOver, holesOf, newestDayOf } from '../../domain/log-state.ts';
import { outcomeAlarm } from '../../domain/outcome-watch.ts';
import type { RunDetail } from '../../domain/records.ts';
import { scoringEvaluation } from '../../domain/scoring-evaluation.ts';
import { sourceChanges } from '../../domain/sources.ts';
import type { Measurements } from '../aws/lambda-handler.ts';

export function measurements(detail: RunDetail): Measurements {
  const { record, ingest, features, scoring } = detail;
  const sources = sourceChanges(features.sources);
  const outcomes = detail.outcomes?.past ?? [];
  const newest = newestDayOf(detail);
  const area = scoringEvaluation(detail)?.metrics.auc;
  const { read } = ingest.counts;
  return {
    runsSucceeded: 1,
    rowsRead: read,
    rowsAdapted: ingest.adapted?.rows ?? 0,
    quarantinePercent: read === 0 ? 0 : (100 * defectiveRows(ingest)) / read,
    reconciliationMismatches: 0,
    modelPromoted: record.promoted === true ? 1 : 0,
    filesPassedOver: filesPassedOver(detail),
    filesWithoutEvents: ingest.withoutEvents?.count ?? 0,
    daysWithoutEvents: holesOf(detail).length,
    sourcesGoneQuiet: sources.filter(({ change }) => change === 'quiet').length,
    sourcesNew: sources.filter(({ change }) => change === 'new').length,
    ...(newest === undefined ? {} : { logAgeDays: newest.ageDays }),
    featureDrift: largestFeatureDrift(scoring.drift),
    scoreDrift: scoring.drift.score,
    ...(outcomes.length === 0 ? {} : { outcomeShift: outcomeAlarm(outcomes) === undefined ? 0 : 1 }),
    ...(record.cost_usd === null ? {} : { costUsd: record.cost_usd }),
    ...(area === undefined ? {} : { areaUnderRocCurve: area.value }),
  };
}
