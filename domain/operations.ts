/**
 * What the cloud side and the Lambdas must call by the same name: environment variables, cluster tags, errors,
 * metrics. The stacks set them, the Lambdas read them, dashboards and alarms show them.
 */
import { LAMBDA_STATES, STATES } from './states.ts';

/** The Lambdas, each named as its folder in lambda/. */
export const FUNCTION_NAMES = LAMBDA_STATES.map((state) => STATES[state].functionName);
export type FunctionName = (typeof FUNCTION_NAMES)[number];

/** Environment variables of the Lambdas. */
export const ENVIRONMENT = {
  /** Root of the lake: `s3://bucket` or `file:///folder`. */
  lakeRoot: 'LAKE_ROOT',
  /** Folder, file or glob of event files, for requests that name none. */
  eventsRoot: 'EVENTS_ROOT',
  /** Database of the lake's tables. */
  database: 'DATABASE',
  /** Names what the steps are executed with; plans carry it. */
  release: 'RELEASE',
  /** Names what training is executed with: only a change of this is a reason to train again. */
  trainingRelease: 'TRAINING_RELEASE',
  /** RunSettings as JSON; what is left out takes its default. */
  runSettings: 'RUN_SETTINGS',
  /** `emr` (the default) or `local`. */
  platform: 'PLATFORM',
  /** Region whose prices hold; set by Lambda itself. */
  region: 'AWS_REGION',
  /** State machine that notifies the subscribers, once per run. */
  notifierArn: 'NOTIFIER_ARN',
  /** State machine whose executions the sweep looks over. */
  stateMachineArn: 'STATE_MACHINE_ARN',
  /** Value of the tag CLUSTER_TAGS.pipeline on this deployment's clusters. */
  pipelineName: 'PIPELINE_NAME',
  /** Fleets as JSON: the types that each may be made of. */
  fleets: 'INSTANCE_FLEETS',
  /** Subnets of the cluster, separated by commas. */
  subnetIds: 'SUBNET_IDS',
  /** `true` for emulators of S3 that know no bucket host names. */
  s3ForcePathStyle: 'S3_FORCE_PATH_STYLE',
} as const;

/** Name of the state machine that notifies the subscribers, beside the pipeline's own. */
export function notifierName(pipelineName: string): string {
  return `${pipelineName}-notifier`;
}

/** Name of the topic that a deployment makes, unless it is given another. */
export function topicName(pipelineName: string): string {
  return `${pipelineName}-notifications`;
}

/** Fleets of a cluster; `churn:<name>InstanceTypes` configures each. */
export const FLEET_NAMES = ['primary', 'core', 'task'] as const;
/** Instance types by fleet. */
export type Fleets = Readonly<Record<(typeof FLEET_NAMES)[number], readonly string[]>>;

/** Tags that every cluster carries, by which its run is found again. The run's id is in the cluster's name too. */
export const CLUSTER_TAGS = {
  pipeline: 'churn:pipeline',
  runId: 'churn:run-id',
  executionArn: 'churn:execution-arn',
} as const;

/** Without this tag the service role of EMR may not use a subnet or a security group. */
export const MANAGED_POLICY_TAG = { key: 'for-use-with-amazon-emr-managed-policies', value: 'true' } as const;

/** Errors that a Lambda ends with on purpose: no retry heals them, and close-run knows what to do about each. */
export const ERROR_NAMES = [
  'InvalidRequest',
  'InvalidConfiguration',
  'NoEventFiles',
  'AccountNotReady',
  'OverBudget',
  'CannotResume',
  'CannotVerify',
  'InvalidResult',
  'ReconciliationFailed',
  'LeaseLost',
  'ChampionChanged',
  'RunClosed',
] as const;
export type ErrorName = (typeof ERROR_NAMES)[number];

/** Error of an execution that ended in the state Refused: another run was in progress. */
export const REFUSED_ERROR = 'Refused';

/** CloudWatch namespace of the metrics below. */
export const METRIC_NAMESPACE = 'Churn';

/** Dimensions of the metrics below: the deployment (`<name>-<stage>`), and the Lambda that measures. */
export const METRIC_DIMENSIONS = { deployment: 'deployment', service: 'service' } as const;

/** Metrics that the Lambdas emit. */
export const RUN_METRICS = {
  runsSucceeded: { name: 'RunsSucceeded', unit: 'Count' },
  runsFailed: { name: 'RunsFailed', unit: 'Count' },
  runsRefused: { name: 'RunsRefused', unit: 'Count' },
  estimatedCostUsd: { name: 'EstimatedCostUsd', unit: 'Count' },
  /** The estimate as a share of budgetUsd. */
  estimatedBudgetPercent: { name: 'EstimatedBudgetPercent', unit: 'Percent' },
  costUsd: { name: 'CostUsd', unit: 'Count' },
  rowsRead: { name: 'RowsRead', unit: 'Count' },
  rowsAdapted: { name: 'RowsAdapted', unit: 'Count' },
  quarantinePercent: { name: 'QuarantinePercent', unit: 'Percent' },
  /** Files below the place of the log that are no event files. */
  filesPassedOver: { name: 'FilesPassedOver', unit: 'Count' },
  /** Files of the batch that gave no event. */
  filesWithoutEvents: { name: 'FilesWithoutEvents', unit: 'Count' },
  /** Days inside the log's period without events, or with far fewer than usual. */
  daysWithoutEvents: { name: 'DaysWithoutEvents', unit: 'Count' },
  /** Pages, levels and devices of which no event comes any more, and new ones. */
  sourcesGoneQuiet: { name: 'SourcesGoneQuiet', unit: 'Count' },
  sourcesNew: { name: 'SourcesNew', unit: 'Count' },
  /** Age of the newest day with events. */
  logAgeDays: { name: 'LogAgeDays', unit: 'Count' },
  reconciliationMismatches: { name: 'ReconciliationMismatches', unit: 'Count' },
  areaUnderRocCurve: { name: 'AreaUnderRocCurve', unit: 'Count' },
  /** Population stability index: the largest of the features that may alarm, and that of the score. */
  featureDrift: { name: 'FeatureDrift', unit: 'Count' },
  scoreDrift: { name: 'ScoreDrift', unit: 'Count' },
  /** 1 when more or fewer users have cancelled than predicted, beyond chance, by the newest outcome. */
  outcomeShift: { name: 'OutcomeShift', unit: 'Count' },
  modelPromoted: { name: 'ModelPromoted', unit: 'Count' },
  /** 1 for every sweep that has measured what follows: without it the alarms on the two below see nothing. */
  sweeps: { name: 'Sweeps', unit: 'Count' },
  /** Measured by every sweep. */
  hoursSinceSuccess: { name: 'HoursSinceSuccess', unit: 'Count' },
  oldestClusterHours: { name: 'OldestClusterHours', unit: 'Count' },
  clustersTerminatedByClosing: { name: 'ClustersTerminatedByClosing', unit: 'Count' },
} as const;
export type RunMetric = keyof typeof RUN_METRICS;

/** The script of the report's page: its source in the project, and its file beside the bundled handler. */
export const PAGE_SCRIPT = {
  source: 'lambda/render-report/client/main.ts',
  file: 'page-script.js',
  /** Packages that Vega would bring and no chart of the report uses: this empty module is bundled instead. */
  absent: {
    packages: [
      ...['vega-crossfilter', 'vega-force', 'vega-geo', 'vega-hierarchy'],
      ...['vega-label', 'vega-regression', 'vega-voronoi', 'vega-wordcloud'],
    ],
    source: 'lambda/render-report/client/absent.ts',
  },
} as const;
