/** The runs before, as far as the report shows them. */

import { DRIFT_METRIC_PREFIX, isExemptFromDriftAlarm } from '../../domain/drift-thresholds.ts';
import { METRIC_ROWS, REPORT, REPORT_INDEX, RUN_RECORD } from '../../domain/lake-objects.ts';
import type { RunRecord } from '../../domain/records.ts';
import { MOST_SHOWN_RUNS } from '../../domain/retention.ts';
import type { Lake } from '../run/lake.ts';

const READ_TOGETHER = 40;

/** A figure of the model that a run chose, with its interval. */
export interface PastFigure {
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

export interface PastRun {
  readonly record: RunRecord;
  /** Metrics of the chosen model by name. */
  readonly metrics: Readonly<Record<string, PastFigure>>;
  /** The largest drift of a feature that may raise an alarm; undefined when none was stored. */
  readonly drift: number | undefined;
  readonly hasReport: boolean;
}

export interface History {
  /** The newest runs that were recorded, the oldest first. A record that cannot be read is left out. */
  readonly runs: readonly PastRun[];
  /** Ids of the reports of other runs, the newest first. */
  readonly olderReports: readonly string[];
}

export async function readHistory(lake: Lake): Promise<History> {
  const [records, reports] = await Promise.all([lake.list(RUN_RECORD), lake.list(REPORT)]);
  const withReport = new Set(reports.map(({ id }) => id));
  const newest = records
    .toSorted((a, b) => b.modifiedAt.getTime() - a.modifiedAt.getTime())
    .slice(0, MOST_SHOWN_RUNS);
  const runs: PastRun[] = [];
  for (let start = 0; start < newest.length; start += READ_TOGETHER) {
    const read = newest.slice(start, start + READ_TOGETHER).map(async ({ id, object }) => {
      const record = await lake.glimpse(object);
      if (record === undefined) return [];
      const rows = record.status === 'SUCCEEDED' ? ((await lake.glimpse(METRIC_ROWS.of(id))) ?? []) : [];
      return [pastRun(record, rows, withReport.has(id))];
    });
    runs.push(...(await Promise.all(read)).flat());
  }
  const shown = new Set(newest.map(({ id }) => id));
  return {
    runs: runs.sort((a, b) => a.record.ended_at.localeCompare(b.record.ended_at)),
    olderReports: reports
      .filter(({ id }) => !shown.has(id))
      .sort((a, b) => b.modifiedAt.getTime() - a.modifiedAt.getTime())
      .map(({ id }) => id),
  };
}

interface MetricRow extends PastFigure {
  readonly model: string;
  readonly protocol: string;
  readonly slice: string;
  readonly metric: string;
}

/** A run with the figures of its chosen model on all test rows. */
export function pastRun(record: RunRecord, rows: readonly MetricRow[], hasReport: boolean): PastRun {
  const own = rows.filter(
    ({ model, protocol, slice }) => model === record.model && protocol === 'forward' && slice === 'all',
  );
  const drifts = own.flatMap(({ metric, value }) => {
    const feature = metric.startsWith(DRIFT_METRIC_PREFIX)
      ? metric.slice(DRIFT_METRIC_PREFIX.length)
      : undefined;
    return feature === undefined || isExemptFromDriftAlarm(feature) ? [] : [value];
  });
  return {
    record,
    metrics: Object.fromEntries(own.map(({ metric, value, low, high }) => [metric, { value, low, high }])),
    drift: drifts.length === 0 ? undefined : Math.max(...drifts),
    hasReport,
  };
}

/** The last run before this one that succeeded. */
export function runBefore(runs: readonly PastRun[], record: RunRecord): PastRun | undefined {
  return runs.findLast(
    (run) =>
      run.record.status === 'SUCCEEDED' &&
      run.record.run_id !== record.run_id &&
      run.record.ended_at < record.ended_at,
  );
}

/** Name of a report's file, as other reports link to it. */
export function reportFile(runId: string): string {
  const { key } = REPORT.of(runId);
  return key.slice(key.lastIndexOf('/') + 1);
}

export const INDEX_FILE = REPORT_INDEX.key.slice(REPORT_INDEX.key.lastIndexOf('/') + 1);
