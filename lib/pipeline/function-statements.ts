/** What each Lambda may do, statement by statement. */
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { EXTERNAL_TABLES } from '../../domain/lake.ts';
import {
  CURRENT,
  LEASE,
  PENDING_BATCH,
  REPORT,
  runFolder,
  WATCHED_SINCE,
} from '../../domain/lake-objects.ts';
import { CLUSTER_TAGS, type FunctionName } from '../../domain/operations.ts';
import { arnOf } from '../arns.ts';
import type { StorageStack } from '../storage/storage-stack.ts';

export interface FunctionStatementsProps {
  readonly storage: StorageStack;
  readonly pipelineName: string;
  readonly stateMachineName: string;
  readonly notifierArn: string;
}

/** Objects of the lake by which runs are planned, guarded and recorded. The tables themselves are Spark's. */
const CONTROL = [LEASE.key, `${PENDING_BATCH.folder}/*`, runFolder('*')];
const RECORDS = [CURRENT.key, `${EXTERNAL_TABLES}/*`];

/** The statements of every Lambda. */
export function functionStatements(
  props: FunctionStatementsProps,
): Readonly<Record<FunctionName, PolicyStatement[]>> {
  const { storage } = props;
  const common = [useKey(storage), listLake(storage)];
  const write = (keys: readonly string[]): PolicyStatement =>
    lakeObjects(storage, 'WriteLake', ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], keys);
  const read = (keys: readonly string[]): PolicyStatement =>
    lakeObjects(storage, 'ReadLake', ['s3:GetObject'], keys);
  const watch = [...watchClusters(), describeExecutions(props)];
  return {
    'start-training': [...common, write(CONTROL), read(RECORDS), listEvents(props), readMarket(), ...watch],
    'store-metrics': [
      ...common,
      write([...CONTROL, ...RECORDS]),
      readAnswers(storage),
      readResults(storage),
      ...watchClusters(),
      readSpotPrices(),
      endClusters(props),
    ],
    'render-report': [...common, read([runFolder('*'), ...RECORDS]), write([REPORT.of('*').key])],
    'close-run': [
      ...common,
      write([...CONTROL, ...RECORDS, WATCHED_SINCE.key]),
      listExecutions(props),
      endClusters(props),
      startNotifier(props),
      readSpotPrices(),
      ...watch,
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
  { lakeBucket }: StorageStack,
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

/** Without it a missing object is answered with "forbidden". */
function listLake({ lakeBucket }: StorageStack): PolicyStatement {
  return allow('ListLake', ['s3:ListBucket'], [lakeBucket.bucketArn]);
}

function useKey({ key }: StorageStack): PolicyStatement {
  return allow('UseKey', ['kms:Decrypt', 'kms:GenerateDataKey'], [key.keyArn]);
}

/** Names, sizes and entity tags of event files; their content is Spark's business. */
function listEvents({ storage: { rawBucket } }: FunctionStatementsProps): PolicyStatement {
  return allow('ListEvents', ['s3:ListBucket'], [rawBucket.bucketArn]);
}

function readAnswers({ workgroupName }: StorageStack): PolicyStatement {
  return allow('ReadAnswers', ['athena:GetQueryResults'], [arnOf('athena', `workgroup/${workgroupName}`)]);
}

/** Athena reads its result from S3 with the caller's rights. */
function readResults({ resultsBucket }: StorageStack): PolicyStatement {
  return allow(
    'ReadResults',
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

function listExecutions({ stateMachineName }: FunctionStatementsProps): PolicyStatement {
  return allow(
    'ListExecutions',
    ['states:ListExecutions'],
    [arnOf('states', `stateMachine:${stateMachineName}`)],
  );
}

function watchClusters(): PolicyStatement[] {
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

/** What EC2 sells, and in which zones the cluster's subnets lie: describing has no resource to name. */
function readMarket(): PolicyStatement {
  return allow('ReadMarket', ['ec2:DescribeInstanceTypeOfferings', 'ec2:DescribeSubnets'], ['*']);
}

/** Public figures: there is no resource to name. */
function readSpotPrices(): PolicyStatement {
  return allow('ReadSpotPrices', ['ec2:DescribeSpotPriceHistory'], ['*']);
}

function endClusters({ pipelineName }: FunctionStatementsProps): PolicyStatement {
  return allow(
    'EndClusters',
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
