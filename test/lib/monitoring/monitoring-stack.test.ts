import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { DRIFT_THRESHOLDS } from '../../../domain/drift-thresholds.ts';
import { METRIC_NAMESPACE, RUN_METRICS } from '../../../domain/operations.ts';
import { scheduleHours } from '../../../lib/schedule-expression.ts';
import { projectRoot } from '../../../setup/environment.mjs';
import { synthesize } from '../../support/synthesize.ts';

const { template, configuration } = synthesize({
  'churn:stage': 'prod',
  'churn:alarmEmail': 'oncall@example.com',
});

const alarmSchema = z.looseObject({
  Properties: z.looseObject({
    AlarmName: z.string(),
    AlarmDescription: z.string(),
    AlarmActions: z.array(z.unknown()),
    ActionsEnabled: z.boolean(),
    Threshold: z.number(),
    ComparisonOperator: z.string(),
    TreatMissingData: z.string().optional(),
    Metrics: z
      .array(
        z.looseObject({
          MetricStat: z
            .looseObject({
              Metric: z.looseObject({
                Namespace: z.string(),
                MetricName: z.string(),
                Dimensions: z.array(z.looseObject({ Name: z.string(), Value: z.unknown() })).optional(),
              }),
            })
            .optional(),
        }),
      )
      .optional(),
  }),
});

const alarms = new Map(
  Object.values(template('monitoring').findResources('AWS::CloudWatch::Alarm'))
    .map((resource) => alarmSchema.parse(resource).Properties)
    .map((alarm) => [alarm.AlarmName.replace(`${configuration.prefix}-`, ''), alarm]),
);

/** Page of an alarm that has none to itself. */
const SHARED_RUNBOOKS = new Map([
  ['failed-run-over-budget', 'cost-over-budget'],
  ['feature-drift', 'drift'],
  ['files-without-events', 'days-without-events'],
  ['score-drift', 'drift'],
]);

const runbookOf = ({ AlarmDescription }: { readonly AlarmDescription: string }): string =>
  /docs\/runbooks\/\S+/.exec(AlarmDescription)?.[0] ?? '';

test('every runbook belongs to an alarm', () => {
  const pages = readdirSync(join(projectRoot, 'docs/runbooks')).map((page) => `docs/runbooks/${page}`);
  expect(pages.sort()).toEqual([...new Set([...alarms.values()].map(runbookOf))].sort());
});

test.each(['feature-drift', 'score-drift'])('%s alarms from the index of the domain on', (name) => {
  expect(alarms.get(name)).toMatchObject({
    Threshold: DRIFT_THRESHOLDS.alarm,
    ComparisonOperator: 'GreaterThanOrEqualToThreshold',
  });
});

test('there is an alarm for each thing that an operator must act on, and no other', () => {
  expect([...alarms.keys()].sort()).toEqual([
    'closing-failed',
    'cluster-alive-too-long',
    'cost-over-budget',
    'days-without-events',
    'dead-letters',
    'estimate-near-budget',
    'failed-run-over-budget',
    'feature-drift',
    'files-without-events',
    'model-quality',
    'no-successful-run',
    'no-sweep',
    'notification-failed',
    'outcome-shift',
    'quarantine-share',
    'row-reconciliation',
    'run-failed',
    'score-drift',
    'sources-gone-quiet',
  ]);
});

describe.each([...alarms])('alarm %s', (name, alarm) => {
  test('reaches the topic', () => {
    expect(alarm.ActionsEnabled).toBe(true);
    expect(JSON.stringify(alarm.AlarmActions)).toContain('Notifications');
  });

  test('links to a runbook with description, investigation and resolution', () => {
    const path = runbookOf(alarm);
    expect(path).toBe(`docs/runbooks/${SHARED_RUNBOOKS.get(name) ?? name}.md`);
    const page = readFileSync(join(projectRoot, path), 'utf8');
    expect([...page.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)).toEqual([
      'Description',
      'Investigation',
      'Resolution',
    ]);
  });

  // "missing" would make it insufficient data, from which no notification says that all is well again.
  test('takes silence for good, but for the alarm on silence itself', () => {
    expect(alarm.TreatMissingData).toBe(name === 'no-sweep' ? 'breaching' : 'notBreaching');
  });
});

/** Metrics of runs that an alarm watches. */
const watchedBy = ({ Metrics = [] }: z.infer<typeof alarmSchema>['Properties']) =>
  Metrics.flatMap(({ MetricStat }) =>
    MetricStat?.Metric.Namespace === METRIC_NAMESPACE ? [MetricStat.Metric] : [],
  );

test('alarms on runs watch metrics that a Lambda emits', () => {
  const emitted: readonly string[] = Object.values(RUN_METRICS).map(({ name }) => name);
  const watched = [...alarms.values()].flatMap(watchedBy);
  expect(watched.length).toBe(16);
  for (const { MetricName, Dimensions } of watched) {
    expect(emitted).toContain(MetricName);
    expect(Dimensions).toEqual([
      { Name: 'deployment', Value: configuration.prefix },
      { Name: 'service', Value: expect.stringMatching(/^(close-run|start-training|store-metrics)$/) },
    ]);
  }
});

test.each([
  ['cost-over-budget', 'store-metrics'],
  ['failed-run-over-budget', 'close-run'],
])('%s compares what %s measures with the budget of a run', (name, service) => {
  const alarm = alarms.get(name);
  expect(alarm).toMatchObject({ Threshold: configuration.run.budgetUsd });
  expect(alarm === undefined ? [] : watchedBy(alarm)).toMatchObject([
    {
      MetricName: RUN_METRICS.costUsd.name,
      Dimensions: [{ Name: 'deployment' }, { Name: 'service', Value: service }],
    },
  ]);
});

test('an estimate of four fifths of the budget raises an alarm, before runs are refused', () => {
  const alarm = alarms.get('estimate-near-budget');
  expect(alarm).toMatchObject({
    Threshold: 80,
    ComparisonOperator: 'GreaterThanOrEqualToThreshold',
  });
  expect(alarm === undefined ? [] : watchedBy(alarm)).toMatchObject([
    {
      MetricName: RUN_METRICS.estimatedBudgetPercent.name,
      Dimensions: [{ Name: 'deployment' }, { Name: 'service', Value: 'start-training' }],
    },
  ]);
});

test('four sweeps without a heartbeat raise an alarm, and three do not', () => {
  expect(alarms.get('no-sweep')).toMatchObject({
    Threshold: 1,
    ComparisonOperator: 'LessThanThreshold',
    EvaluationPeriods: 4,
    DatapointsToAlarm: 4,
    Metrics: [expect.objectContaining({ MetricStat: expect.objectContaining({ Period: 900 }) })],
  });
});

test('a weekly schedule is missed after two weeks', () => {
  expect(alarms.get('no-successful-run')).toMatchObject({
    Threshold: 336,
    ComparisonOperator: 'GreaterThanThreshold',
  });
});

test.each([
  ['rate(30 minutes)', 1],
  ['rate(12 hours)', 12],
  ['rate(7 days)', 168],
  ['cron(0 3 * * ? *)', 24],
  ['cron(0 3 ? * MON-FRI *)', 168],
  ['cron(0 3 ? * MON *)', 168],
  ['cron(0 3 ? * 2#1 *)', 744],
  ['cron(0 3 1 * ? *)', 744],
  ['cron(0 3 1 JAN,JUL ? *)', 8_760],
])('%s starts at least every %i hours', (expression, hours) => {
  expect(scheduleHours(expression)).toBe(hours);
});

test('one graph shows what runs cost, whether they succeeded or failed', () => {
  const dashboards = JSON.stringify(template('monitoring').findResources('AWS::CloudWatch::Dashboard'));
  const graphs = dashboards.split('type').filter((widget) => widget.includes(RUN_METRICS.costUsd.name));
  expect(graphs).toEqual([expect.stringMatching(/store-metrics.*close-run/s)]);
});

test('a dashboard shows runs, the state machine, the queue and the Lambdas', () => {
  const dashboard = JSON.stringify(template('monitoring').findResources('AWS::CloudWatch::Dashboard'));
  for (const name of [
    'RunsFailed',
    'CostUsd',
    'FeatureDrift',
    'ScoreDrift',
    'ExecutionsFailed',
    'ApproximateNumberOfMessagesVisible',
    'Duration',
  ]) {
    expect(dashboard).toContain(name);
  }
});
