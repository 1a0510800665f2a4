/** The dashboard and the alarms of one deployment. */
import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import {
  type CustomMetricWithAlarm,
  type CustomThreshold,
  type IDynamicDashboardFactory,
  type MetricFactory,
  MetricStatistic,
  MonitoringFacade,
  SnsAlarmActionStrategy,
} from 'cdk-monitoring-constructs';
import { Construct } from 'constructs';
import { FUNCTION_NAMES, METRIC_DIMENSIONS, METRIC_NAMESPACE, RUN_METRICS } from '../../domain/operations.ts';
import type { Configuration } from '../configuration.ts';
import type { WatchedPipeline } from '../pipeline/pipeline-stack.ts';
import { type AlarmText, alarmText } from './alarm-text.ts';
import { type RunAlarm, runAlarms } from './alarms.ts';

export interface RunMonitoringProps {
  /** Thresholds of the alarms, and where their runbooks are read. */
  readonly configuration: Configuration;
  readonly pipeline: WatchedPipeline;
  /** Makes the dashboards. */
  readonly dashboards: IDynamicDashboardFactory;
}

/** Runs are hours apart: one measurement above the threshold is enough, and most of the time there is none. */
const PERIOD = Duration.minutes(15);

const COMPARISONS = {
  above: ComparisonOperator.GREATER_THAN_THRESHOLD,
  'at least': ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
  below: ComparisonOperator.LESS_THAN_THRESHOLD,
} as const satisfies Record<RunAlarm['when'], ComparisonOperator>;

export class RunMonitoring extends Construct {
  readonly #facade: MonitoringFacade;
  readonly #configuration: Configuration;
  readonly #pipeline: WatchedPipeline;

  constructor(scope: Construct, id: string, { configuration, pipeline, dashboards }: RunMonitoringProps) {
    super(scope, id);
    this.#configuration = configuration;
    this.#pipeline = pipeline;
    this.#facade = new MonitoringFacade(this, 'Default', {
      dashboardFactory: dashboards,
      metricFactoryDefaults: { namespace: METRIC_NAMESPACE, period: PERIOD },
      alarmFactoryDefaults: {
        alarmNamePrefix: configuration.prefix,
        actionsEnabled: true,
        datapointsToAlarm: 1,
        evaluationPeriods: 1,
        action: new SnsAlarmActionStrategy({ onAlarmTopic: pipeline.notifications }),
      },
    });
    this.#facade.addLargeHeader(`Churn pipeline, ${configuration.stage}`);
    this.#watchRuns();
    this.#watchStateMachines();
    this.#watchDeadLetters();
    this.#watchFunctions();
  }

  #watchRuns(): void {
    const metrics = this.#facade.createMetricFactory();
    const alarms = Map.groupBy(runAlarms(this.#configuration), ({ metric }) => metric);
    this.#facade.monitorCustom({
      alarmFriendlyName: 'Runs',
      humanReadableName: 'Runs',
      metricGroups: [...alarms].map(([metric, onMetric]) => ({
        title: RUN_METRICS[metric].name,
        metrics: onMetric.map((alarm) =>
          metricWithAlarm(
            alarm,
            metrics,
            this.#configuration.prefix,
            this.#text(alarm.name, alarm.description, alarm.runbook),
          ),
        ),
      })),
    });
  }

  #watchStateMachines(): void {
    const { stateMachine, notifier } = this.#pipeline;
    this.#facade
      .monitorStepFunction({
        stateMachine,
        alarmFriendlyName: 'State machine',
        humanReadableName: 'StateMachine',
      })
      .monitorStepFunction({
        stateMachine: notifier,
        alarmFriendlyName: 'Notifier',
        humanReadableName: 'Notifier',
        addFailedExecutionCountAlarm: {
          Notification: {
            maxErrorCount: 0,
            ...this.#text(
              'notification-failed',
              'A notification could not be sent; the subscribers may not know how a run ended',
            ),
          },
        },
      });
  }

  #watchDeadLetters(): void {
    this.#facade.monitorSqsQueue({
      queue: this.#pipeline.deadLetters,
      alarmFriendlyName: 'Dead letters',
      humanReadableName: 'DeadLetters',
      addQueueMaxSizeAlarm: {
        DeadLetters: {
          maxMessageCount: 0,
          // SQS stops measuring a queue that was idle for six hours: an idle queue has no dead letters.
          treatMissingDataOverride: TreatMissingData.NOT_BREACHING,
          ...this.#text('dead-letters', 'A scheduled start, an event or a call of close-run failed for good'),
        },
      },
    });
  }

  #watchFunctions(): void {
    for (const name of FUNCTION_NAMES) {
      this.#facade.monitorLambdaFunction({
        lambdaFunction: this.#pipeline.functions[name],
        alarmFriendlyName: name,
        ...(name === 'close-run'
          ? {
              addFaultCountAlarm: {
                Closing: {
                  maxErrorCount: 0,
                  ...this.#text(
                    'closing-failed',
                    'A run that failed could not be closed; the sweep tries again',
                  ),
                },
              },
            }
          : {}),
      });
    }
  }

  #text(name: string, description: string, runbook = name): AlarmText {
    return alarmText(this.#configuration, { name, description, runbook });
  }
}

/** A line of the metric's graph of this deployment, and the alarm on it. */
function metricWithAlarm(
  alarm: RunAlarm,
  metrics: MetricFactory,
  deployment: string,
  text: AlarmText,
): CustomMetricWithAlarm {
  const threshold: CustomThreshold = {
    threshold: alarm.threshold,
    comparisonOperator: COMPARISONS[alarm.when],
    ...whenMissing(alarm),
    ...text,
  };
  return {
    metric: metrics.createMetric(
      RUN_METRICS[alarm.metric].name,
      alarm.when === 'below' ? MetricStatistic.MIN : MetricStatistic.MAX,
      alarm.measuredBy,
      {
        [METRIC_DIMENSIONS.deployment]: deployment,
        [METRIC_DIMENSIONS.service]: alarm.measuredBy,
      },
    ),
    alarmFriendlyName: alarm.name,
    addAlarm: { Warning: threshold },
  };
}

/** Silence is good, but for an alarm that counts it: that one is raised when all periods of its time were silent. */
function whenMissing({ silentMinutes }: RunAlarm): Partial<CustomThreshold> {
  if (silentMinutes === undefined) return { treatMissingDataOverride: TreatMissingData.NOT_BREACHING };
  const periods = Math.ceil(silentMinutes / PERIOD.toMinutes());
  return {
    treatMissingDataOverride: TreatMissingData.BREACHING,
    evaluationPeriods: periods,
    datapointsToAlarm: periods,
  };
}
