/** What each Lambda may do, statement by statement. */
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { EXTERNAL_TABLES } from '../../domain/lake.ts';
import {
  CAMPAIGN,
  CHOICE,
  CURRENT,
  CUTOFF_GRID,
  DRAFT,
  FORMAT,
  INDEX_FOLDER,
  LEASE,
  MODEL,
  MODEL_CARD,
  modelFolder,
  PENDING_BATCH,
  REPORT,
  runFolder,
  TRAINING_DECISION,
  WATCHED_SINCE,
} from '../../domain/lake-objects.ts';
import { CLUSTER_TAGS, type FunctionName } from '../../domain/operations.ts';
import { SERVICE_LINKED_ROLES } from '../../domain/preflight.ts';
import { arnOf, arnOfServiceLinkedRole } from '../arns.ts';
import { useKey } from '../storage/data-key.ts';
import type { Storage } from '../storage/storage-stack.ts';

export interface FunctionStatementsProps {
  readonly storage: Storage;
  readonly pipelineName: string;
  readonly stateMachineName: string;
  readonly notifierArn: string;
}

/** Objects of the lake by which runs are planned, guarded and recorded. The tables themselves are Spark's. */
const CONTROL = [LEASE.key, `${PENDING_BATCH.folder}/*`, runFolder('*')];
const RECORDS = [CURRENT.key, CUTOFF_GRID.key, `${EXTERNAL_TABLES}/*`];
/** What finishing a run needs of its model. */
const MODEL_CARDS = [MODEL.of('*').key, MODEL_CARD.of('*').key];
/** What is removed with a batch's marker once its run has succeeded. */
const DRAFTS = `${DRAFT.folder}/*`;

/** The statements of every Lambda. */
export function functionStatements(
  props: FunctionStatementsProps,
): Readonly<Record<FunctionName, PolicyStatement[]>> {
  const { storage } = props;
  const common = [useKey(storage.key), listLake(storage)];
  const write = (keys: readonly string[]): PolicyStatement =>
    lakeObjects(storage, 'WriteLake', ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], keys);
  const read = (keys: readonly string[]): PolicyStatement =>
    lakeObjects(storage, 'ReadLake', ['s3:GetObject'], keys);
  const observe = [...describeClusters(), describeExecutions(props)];
  return {
    'start-training': [
      ...common,
      write([...CONTROL, `${INDEX_FOLDER}/*`]),
      read([...RECORDS, FORMAT.key]),
      listEventFiles(props),
      readInstanceOfferings(),
      ...checkAccount(),
      ...observe,
    ],
    'decide-training': [
      ...common,
      read([...CONTROL, CURRENT.key, MODEL.of('*').key]),
      write([TRAINING_DECISION.of('*').key]),
    ],
    'choose-model': [
      ...common,
      read([...CONTROL, CURRENT.key, MODEL.of('*').key]),
      write([CHOICE.of('*').key]),
    ],
    'store-metrics': [
      ...common,
      write([...CONTROL, ...RECORDS, ...MODEL_CARDS, DRAFTS]),
      removeExpiredRuns(storage),
      tagCampaigns(storage),
      getQueryResults(storage),
      readQueryResultObjects(storage),
      ...describeClusters(),
      readSpotPrices(),
      readHistories(props),
      terminateClusters(props),
    ],
    'render-report': [
      ...common,
      read([runFolder('*'), ...RECORDS, MODEL_CARD.of('*').key]),
      write([REPORT.of('*').key]),
    ],
    'close-run': [
      ...common,
      write([...CONTROL, ...RECORDS, ...MODEL_CARDS, DRAFTS, WATCHED_SINCE.key]),
      removeExpiredRuns(storage),
      tagCampaigns(storage),
      listExecutions(props),
      terminateClusters(props),
      startNotifier(props),
      readSpotPrices(),
      ...observe,
    ],
  };
}

function allow(
  sid: string,
  actions: readonly string[],
  resources: readonly string[],
  conditions?: Record<string, object>,
): PolicyStatement {
  return new PolicyStatement({
    sid,
    actions: [...actions],
    resources: [...resources],
    ...(conditions === undefined ? {} : { conditions }),
  });
}

function lakeObjects(
  { lakeBucket }: Storage,
  sid: string,
  actions: readonly string[],
  keys: readonly string[],
): PolicyStatement {
  return allow(
    sid,
    actions,
    keys.map((key) => lakeBucket.arnForObjects(key)),
  );
}

/** By the tag the lifecycle rule of the bucket finds the lists that it removes. */
function tagCampaigns(storage: Storage): PolicyStatement {
  return lakeObjects(storage, 'TagCampaigns', ['s3:PutObjectTagging'], [CAMPAIGN.of('*').key]);
}

/** What runs left that have had their time, beside their own objects. */
function removeExpiredRuns(storage: Storage): PolicyStatement {
  const keys = [`${modelFolder('*')}/*`, REPORT.of('*').key];
  return lakeObjects(storage, 'RemoveExpiredRuns', ['s3:DeleteObject'], keys);
}

/** Without it S3 answers a request for a missing object with "forbidden". */
function listLake({ lakeBucket }: Storage): PolicyStatement {
  return allow('ListLake', ['s3:ListBucket'], [lakeBucket.bucketArn]);
}

/** Names, sizes and entity tags of event files; only Spark reads their content. */
function listEventFiles({ storage: { rawBucket } }: FunctionStatementsProps): PolicyStatement {
  return allow('ListEventFiles', ['s3:ListBucket'], [rawBucket.bucketArn]);
}

function getQueryResults({ workgroupName }: Storage): PolicyStatement {
  return allow(
    'GetQueryResults',
    ['athena:GetQueryResults'],
    [arnOf('athena', `workgroup/${workgroupName}`)],
  );
}

/** Athena reads its result from S3 with the caller's permissions. */
function readQueryResultObjects({ resultsBucket }: Storage): PolicyStatement {
  return allow(
    'ReadQueryResultObjects',
    ['s3:GetObject', 's3:GetBucketLocation'],
    [resultsBucket.bucketArn, resultsBucket.arnForObjects('*')],
  );
}

function describeExecutions({ stateMachineName }: FunctionStatementsProps): PolicyStatement {
  return allow(
    'DescribeExecutions',
    ['states:DescribeExecution'],
    [arnOf('states', `execution:${stateMachineName}:*`)],
  );
}

/** When each state of a run began and ended. */
function readHistories({ stateMachineName }: FunctionStatementsProps): PolicyStatement {
  return allow(
    'ReadHistories',
    ['states:GetExecutionHistory'],
    [arnOf('states', `execution:${stateMachineName}:*`)],
  );
}

function listExecutions({ stateMachineName }: FunctionStatementsProps): PolicyStatement {
  return allow(
    'ListExecutions',
    ['states:ListExecutions'],
    [arnOf('states', `stateMachine:${stateMachineName}`)],
  );
}

function describeClusters(): PolicyStatement[] {
  return [
    // Listing has no resource to name.
    allow('ListClusters', ['elasticmapreduce:ListClusters'], ['*']),
    allow(
      'DescribeClusters',
      ['elasticmapreduce:DescribeCluster', 'elasticmapreduce:ListSteps', 'elasticmapreduce:ListInstances'],
      [arnOf('elasticmapreduce', 'cluster/*')],
    ),
  ];
}

/** Which instance types EC2 offers, and in which zones the cluster's subnets are: describing has no resource to name. */
function readInstanceOfferings(): PolicyStatement {
  return allow('ReadInstanceOfferings', ['ec2:DescribeInstanceTypeOfferings', 'ec2:DescribeSubnets'], ['*']);
}

/** What PlanRun asks the account before a cluster is created. Quotas and instances have no resource to name. */
function checkAccount(): PolicyStatement[] {
  return [
    allow(
      'ReadQuotas',
      ['servicequotas:GetServiceQuota', 'servicequotas:GetAWSDefaultServiceQuota', 'ec2:DescribeInstances'],
      ['*'],
    ),
    allow('SeeServiceLinkedRoles', ['iam:GetRole'], SERVICE_LINKED_ROLES.map(arnOfServiceLinkedRole)),
  ];
}

/** Public figures: there is no resource to name. */
function readSpotPrices(): PolicyStatement {
  return allow('ReadSpotPrices', ['ec2:DescribeSpotPriceHistory'], ['*']);
}

function terminateClusters({ pipelineName }: FunctionStatementsProps): PolicyStatement {
  return allow(
    'TerminateClusters',
    ['elasticmapreduce:TerminateJobFlows'],
    [arnOf('elasticmapreduce', 'cluster/*')],
    {
      StringEquals: { [`elasticmapreduce:ResourceTag/${CLUSTER_TAGS.pipeline}`]: pipelineName },
    },
  );
}

function startNotifier({ notifierArn }: FunctionStatementsProps): PolicyStatement {
  return allow('StartNotifier', ['states:StartExecution'], [notifierArn]);
}
