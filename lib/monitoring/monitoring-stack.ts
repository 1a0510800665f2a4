/** The dashboard and the alarms. */
import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import {
  type CustomMetricWithAlarm,
  type CustomThreshold,
  DefaultDashboardFactory,
  type MetricFactory,
  MetricStatistic,
  MonitoringFacade,
  SnsAlarmActionStrategy,
} from 'cdk-monitoring-constructs';
import type { Construct } from 'constructs';
import { FUNCTION_NAMES, METRIC_NAMESPACE, RUN_METRICS } from '../../domain/operations.ts';
import type { Configuration } from '../configuration.ts';
import type { PipelineStack } from '../pipeline/pipeline-stack.ts';
import { type RunAlarm, runAlarms } from './alarms.ts';

export interface MonitoringStackProps extends StackProps {
  readonly configuration: Configuration;
  readonly pipeline: PipelineStack;
}

/** Runs are hours apart: one measurement above the threshold is enough, and most of the time there is none. */
const PERIOD = Duration.minutes(15);

const COMPARISONS = {
  above: ComparisonOperator.GREATER_THAN_THRESHOLD,
  'at least': ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
  below: ComparisonOperator.LESS_THAN_THRESHOLD,
} as const satisfies Record<RunAlarm['when'], ComparisonOperator>;

type AlarmNames = Required<
  Pick<CustomThreshold, 'alarmNameOverride' | 'alarmDescriptionOverride' | 'runbookLink'>
>;

export class MonitoringStack extends Stack {
  constructor(scope: Construct, id: string, props: MonitoringStackProps) {
    super(scope, id, props);
    const { configuration, pipeline } = props;
    /** An alarm's name in this deployment, and its page. */
    const named = (name: string, description: string, runbook = name): AlarmNames => ({
      alarmNameOverride: `${configuration.prefix}-${name}`,
      alarmDescriptionOverride: description,
      runbookLink: `${configuration.runbookRoot}/${runbook}.md`,
    });
    const monitoring = new MonitoringFacade(this, 'Runs', {
      dashboardFactory: new DefaultDashboardFactory(this, 'Dashboards', {
        dashboardNamePrefix: configuration.prefix,
      }),
      metricFactoryDefaults: { namespace: METRIC_NAMESPACE, period: PERIOD },
      alarmFactoryDefaults: {
        alarmNamePrefix: configuration.prefix,
        actionsEnabled: true,
        datapointsToAlarm: 1,
        evaluationPeriods: 1,
        action: new SnsAlarmActionStrategy({ onAlarmTopic: pipeline.notifications }),
      },
    });
    const metrics = monitoring.createMetricFactory();
    monitoring
      .addLargeHeader(`Churn pipeline, ${configuration.stage}`)
      .monitorCustom({
        alarmFriendlyName: 'Runs',
        humanReadableName: 'Runs',
        metricGroups: [...Map.groupBy(runAlarms(configuration), ({ metric }) => metric)].map(
          ([metric, alarms]) => ({
            title: RUN_METRICS[metric].name,
            metrics: alarms.map((alarm) =>
              watched(alarm, metrics, named(alarm.name, alarm.description, alarm.runbook)),
            ),
          }),
        ),
      })
      .monitorStepFunction({ stateMachine: pipeline.stateMachine, alarmFriendlyName: 'State machine' })
      .monitorStepFunction({
        stateMachine: pipeline.notifier,
        alarmFriendlyName: 'Notifier',
        addFailedExecutionCountAlarm: {
          Telling: {
            maxErrorCount: 0,
            ...named('notification-failed', 'Nobody may have been told what became of a run'),
          },
        },
      })
      .monitorSqsQueue({
        queue: pipeline.deadLetters,
        alarmFriendlyName: 'Dead letters',
        addQueueMaxSizeAlarm: {
          DeadLetters: {
            maxMessageCount: 0,
            ...named('dead-letters', 'A start, an event or a closing reached nobody'),
          },
        },
      });
    for (const name of FUNCTION_NAMES) {
      monitoring.monitorLambdaFunction({
        lambdaFunction: pipeline.functions[name],
        alarmFriendlyName: name,
        ...(name === 'close-run'
          ? {
              addFaultCountAlarm: {
                Closing: {
                  maxErrorCount: 0,
                  ...named(
                    'closing-failed',
                    'A run that ended badly could not be closed; the sweep tries again',
                  ),
                },
              },
            }
          : {}),
      });
    }
  }
}

/** A line of the metric's graph, and the alarm on it. */
function watched(alarm: RunAlarm, metrics: MetricFactory, names: AlarmNames): CustomMetricWithAlarm {
  const threshold: CustomThreshold = {
    threshold: alarm.threshold,
    comparisonOperator: COMPARISONS[alarm.when],
    treatMissingDataOverride: TreatMissingData.NOT_BREACHING,
    ...names,
  };
  return {
    metric: metrics.createMetric(
      RUN_METRICS[alarm.metric].name,
      alarm.when === 'below' ? MetricStatistic.MIN : MetricStatistic.MAX,
      alarm.measuredBy,
      { service: alarm.measuredBy },
    ),
    alarmFriendlyName: alarm.name,
    addAlarm: { Warning: threshold },
  };
}
