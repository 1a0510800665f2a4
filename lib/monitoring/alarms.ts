/** What the operators have to act on: each alarm as data, with the runbook that says what to do. */
import { DRIFT_THRESHOLDS } from '../../domain/drift-thresholds.ts';
import type { FunctionName, RunMetric } from '../../domain/operations.ts';
import type { Configuration } from '../configuration.ts';
import { SWEEP_MINUTES } from '../pipeline/closing-rules.ts';
import { scheduleHours } from '../schedule-expression.ts';

export interface RunAlarm {
  readonly name: string;
  /**
   * Name of its page in docs/runbooks, without `.md`.
   * @default the name of the alarm
   */
  readonly runbook?: string;
  readonly metric: RunMetric;
  /** The Lambda that measures it. */
  readonly measuredBy: FunctionName;
  readonly when: 'above' | 'at least' | 'below';
  readonly threshold: number;
  /**
   * Raises the alarm also when nothing was measured in as many minutes.
   * @default nothing measured is nothing wrong
   */
  readonly silentMinutes?: number;
  readonly description: string;
}

/** The estimate grows with the log: from here on there are weeks to raise the budget before runs are refused. */
const NEAR_BUDGET_PERCENT = 80;
/** Four sweeps: one may be late, and two that are retried are still no reason to call someone. */
const SILENT_SWEEPS = 4;

/** Alarms on what the Lambdas measure about runs. */
export function runAlarms(configuration: Configuration): readonly RunAlarm[] {
  return [
    {
      name: 'run-failed',
      metric: 'runsFailed',
      measuredBy: 'close-run',
      when: 'above',
      threshold: 0,
      description: 'A run failed. The notification about the run says which step, why, and what to do',
    },
    ...noSuccess(configuration),
    {
      name: 'no-sweep',
      metric: 'sweeps',
      measuredBy: 'close-run',
      when: 'below',
      threshold: 1,
      silentMinutes: SILENT_SWEEPS * SWEEP_MINUTES,
      description: `No sweep has succeeded for ${SILENT_SWEEPS * SWEEP_MINUTES} minutes: nobody closes runs that no event reports, and the alarms on the time since the last success and on the age of clusters are blind`,
    },
    {
      name: 'estimate-near-budget',
      metric: 'estimatedBudgetPercent',
      measuredBy: 'start-training',
      when: 'at least',
      threshold: NEAR_BUDGET_PERCENT,
      description: `A run is estimated at ${NEAR_BUDGET_PERCENT} % of its budget or more; above 100 % runs are refused`,
    },
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
      description: 'A cluster has been alive for longer than a run should take',
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
      name: 'days-without-events',
      metric: 'daysWithoutEvents',
      measuredBy: 'store-metrics',
      when: 'above',
      threshold: 0,
      description: 'Days inside the period of the log have no events, or far fewer than the days around them',
    },
    {
      name: 'files-without-events',
      runbook: 'days-without-events',
      metric: 'filesWithoutEvents',
      measuredBy: 'store-metrics',
      when: 'above',
      threshold: 0,
      description: 'New files were read and gave no event',
    },
    {
      name: 'sources-gone-quiet',
      metric: 'sourcesGoneQuiet',
      measuredBy: 'store-metrics',
      when: 'above',
      threshold: 0,
      description: 'A page, a level or a device that was usual does not appear in the log any more',
    },
    ...oldLog(configuration),
    {
      name: 'row-reconciliation',
      metric: 'reconciliationMismatches',
      measuredBy: 'store-metrics',
      when: 'above',
      threshold: 0,
      description: 'The tables do not contain the rows that the steps counted; the run was not made current',
    },
    {
      name: 'model-quality',
      metric: 'areaUnderRocCurve',
      measuredBy: 'store-metrics',
      when: 'below',
      threshold: configuration.alarmMinAreaUnderCurve,
      description: 'The chosen model ranks users worse than the configured minimum',
    },
    {
      name: 'outcome-shift',
      metric: 'outcomeShift',
      measuredBy: 'store-metrics',
      when: 'above',
      threshold: 0,
      description: 'More or fewer users have cancelled than the scores of earlier runs said, beyond chance',
    },
    {
      name: 'feature-drift',
      runbook: 'drift',
      metric: 'featureDrift',
      measuredBy: 'store-metrics',
      when: 'at least',
      threshold: DRIFT_THRESHOLDS.alarm,
      description: 'A feature of the scored users is not distributed as it was when the model was tested',
    },
    {
      name: 'score-drift',
      runbook: 'drift',
      metric: 'scoreDrift',
      measuredBy: 'store-metrics',
      when: 'at least',
      threshold: DRIFT_THRESHOLDS.alarm,
      description: 'The scores are not distributed as they were when the model was tested',
    },
  ];
}

/** Only by the configured number of days: how often a log is delivered is not known. */
function oldLog({ alarmMaxLogAgeDays: days }: Configuration): readonly RunAlarm[] {
  if (days === undefined) return [];
  return [
    {
      name: 'log-age',
      runbook: 'days-without-events',
      metric: 'logAgeDays',
      measuredBy: 'store-metrics',
      when: 'above',
      threshold: days,
      description: `The newest day of the log is more than ${days} days old`,
    },
  ];
}

/**
 * By the configured number of hours; by default twice the time between scheduled starts, so that one run may fail and be
 * fixed before a second alarm is raised. Without a schedule and a number, nobody expects a run.
 */
function noSuccess(configuration: Configuration): readonly RunAlarm[] {
  const { alarmMaxHoursWithoutSuccess: configured, scheduleEnabled, scheduleExpression } = configuration;
  const hours = configured ?? (scheduleEnabled ? 2 * scheduleHours(scheduleExpression) : undefined);
  if (hours === undefined) return [];
  const reason = configured === undefined ? ', twice the time between scheduled starts' : '';
  return [
    {
      name: 'no-successful-run',
      metric: 'hoursSinceSuccess',
      measuredBy: 'close-run',
      when: 'above',
      threshold: hours,
      description: `No run has succeeded for ${hours} hours${reason}`,
    },
  ];
}
