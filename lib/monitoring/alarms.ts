/** What somebody is woken for: each alarm as data, with the runbook that says what to do. */

import { DRIFT_THRESHOLDS } from '../../domain/drift-thresholds.ts';
import type { FunctionName, RunMetric } from '../../domain/operations.ts';
import type { Configuration } from '../configuration.ts';
import { scheduleHours } from '../schedule-expression.ts';

export interface RunAlarm {
  readonly name: string;
  /** File name of its page in docs/runbooks; its own name where it has a page to itself. */
  readonly runbook?: string;
  readonly metric: RunMetric;
  /** The Lambda that measures it. */
  readonly measuredBy: FunctionName;
  readonly when: 'above' | 'at least' | 'below';
  readonly threshold: number;
  readonly description: string;
}

/** Alarms on what the Lambdas measure of runs. */
export function runAlarms(configuration: Configuration): readonly RunAlarm[] {
  return [
    {
      name: 'run-failed',
      metric: 'runsFailed',
      measuredBy: 'close-run',
      when: 'above',
      threshold: 0,
      description: 'A run ended badly. The notification of the run says which step, why, and what to do',
    },
    ...(configuration.scheduleEnabled ? [noSuccess(configuration)] : []),
    {
      name: 'cost-over-budget',
      metric: 'costUsd',
      measuredBy: 'store-metrics',
      when: 'above',
      threshold: configuration.run.budgetUsd,
      description: 'A run cost more than its budget although its estimate did not',
    },
    {
      name: 'failed-run-over-budget',
      runbook: 'cost-over-budget',
      metric: 'costUsd',
      measuredBy: 'close-run',
      when: 'above',
      threshold: configuration.run.budgetUsd,
      description: 'A run failed, and cost more than its budget although its estimate did not',
    },
    {
      name: 'cluster-alive-too-long',
      metric: 'oldestClusterHours',
      measuredBy: 'close-run',
      when: 'above',
      threshold: configuration.alarmMaxClusterHours,
      description: 'A cluster has been living for longer than a run should take',
    },
    {
      name: 'quarantine-share',
      metric: 'quarantinePercent',
      measuredBy: 'store-metrics',
      when: 'above',
      threshold: configuration.alarmMaxQuarantinePercent,
      description: 'More rows were refused than usual; above maxQuarantineShare the run would fail',
    },
    {
      name: 'row-reconciliation',
      metric: 'reconciliationMismatches',
      measuredBy: 'store-metrics',
      when: 'above',
      threshold: 0,
      description: 'The lake does not hold the rows that the steps counted; the run was not made current',
    },
    {
      name: 'model-quality',
      metric: 'areaUnderRocCurve',
      measuredBy: 'store-metrics',
      when: 'below',
      threshold: configuration.alarmMinAreaUnderCurve,
      description: 'The chosen model ranks users worse than its bar',
    },
    {
      name: 'feature-drift',
      runbook: 'drift',
      metric: 'featureDrift',
      measuredBy: 'store-metrics',
      when: 'at least',
      threshold: DRIFT_THRESHOLDS.alarm,
      description: 'A feature of the scored users is not spread as it was when the model was tested',
    },
    {
      name: 'score-drift',
      runbook: 'drift',
      metric: 'scoreDrift',
      measuredBy: 'store-metrics',
      when: 'at least',
      threshold: DRIFT_THRESHOLDS.alarm,
      description: 'The scores are not spread as they were when the model was tested',
    },
  ];
}

/** Twice the schedule: one run may fail and be mended before anybody is woken a second time. */
function noSuccess(configuration: Configuration): RunAlarm {
  const hours = 2 * scheduleHours(configuration.scheduleExpression);
  return {
    name: 'no-successful-run',
    metric: 'hoursSinceSuccess',
    measuredBy: 'close-run',
    when: 'above',
    threshold: hours,
    description: `No run has succeeded for ${hours} hours, twice the time between scheduled starts`,
  };
}
