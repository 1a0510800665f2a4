/** What each Lambda may do, statement by statement. */
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { KEYS } from '../domain/lake.ts';
import { CLUSTER_TAGS, type FunctionName } from '../domain/operations.ts';
import { arnOf } from './arns.ts';
import type { StorageStack } from './storage.ts';

export interface FunctionStatementsProps {
  readonly storage: StorageStack;
  readonly pipelineName: string;
  readonly stateMachineName: string;
  readonly topicArn: string;
}

/** Where in the lake runs are planned, recorded and reported. The tables themselves are Spark's. */
const CONTROL_KEYS: readonly string[] = [
  KEYS.lease,
  KEYS.current,
  `${KEYS.pendingFolder}/*`,
  'tables/*',
  KEYS.run('*'),
  KEYS.report('*'),
];

/** The statements of every Lambda. */
export function functionStatements(
  props: FunctionStatementsProps,
): Readonly<Record<FunctionName, PolicyStatement[]>> {
  const { storage } = props;
  const lake = [...controlObjects(storage), useKey(storage)];
  return {
    'start-training': [...lake, listEvents(props), describeExecutions(props), ...watchClusters()],
    'store-metrics': [...lake, readAnswers(storage), readResults(storage), ...watchClusters()],
    'render-report': lake,
    'close-run': [
      ...lake,
      describeExecutions(props),
      listExecutions(props),
      ...watchClusters(),
      endClusters(props),
      publish(props),
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

function controlObjects({ lakeBucket }: StorageStack): PolicyStatement[] {
  return [
    allow(
      'ControlObjects',
      ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
      CONTROL_KEYS.map((key) => lakeBucket.arnForObjects(key)),
    ),
    // Without it a missing object is answered with "forbidden".
    allow('ListLake', ['s3:ListBucket'], [lakeBucket.bucketArn]),
  ];
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

function publish({ topicArn }: FunctionStatementsProps): PolicyStatement {
  return allow('Publish', ['sns:Publish'], [topicArn]);
}
