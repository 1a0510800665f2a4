/**
 * What the state machine may do. Written out, because CDK's tasks grant EMR's and Athena's actions on every
 * cluster, bucket and table of the account.
 */
import { Aws } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { DATABASE, EXTERNAL_TABLES, WAREHOUSE } from '../../domain/lake.ts';
import { CLUSTER_TAGS } from '../../domain/operations.ts';
import { arnOf } from '../arns.ts';
import type { ComputeStack } from '../compute/compute-stack.ts';
import { MANAGED_POLICY_TAG } from '../network/security-groups.ts';
import type { StorageStack } from '../storage/storage-stack.ts';
import { type StateMachineRole, stateMachineRole, useKey } from './state-machine-role.ts';

export interface ExecutionRoleProps {
  readonly compute: ComputeStack;
  readonly storage: StorageStack;
  readonly functions: readonly IFunction[];
  readonly notifierArn: string;
}

/** Makes the role of the pipeline's own state machine. */
export function executionRole(scope: Construct, id: string, props: ExecutionRoleProps): StateMachineRole {
  return stateMachineRole(scope, id, {
    description: 'Runs of the churn pipeline',
    statements: [...clusters(props.compute), ...reconciliation(props.storage), ...own(props)],
  });
}

function clusters({ cluster }: ComputeStack): PolicyStatement[] {
  const anyCluster = arnOf('elasticmapreduce', 'cluster/*');
  const asOurs = (key: 'RequestTag' | 'ResourceTag'): object => ({
    [`elasticmapreduce:${key}/${CLUSTER_TAGS.pipeline}`]: cluster.pipelineName,
  });
  return [
    new PolicyStatement({
      sid: 'StartOurClusters',
      // RunJobFlow has no resource to name; the tags it must carry are what ties it to this pipeline.
      actions: ['elasticmapreduce:RunJobFlow'],
      resources: ['*'],
      conditions: {
        StringEquals: {
          ...asOurs('RequestTag'),
          [`elasticmapreduce:RequestTag/${MANAGED_POLICY_TAG.key}`]: MANAGED_POLICY_TAG.value,
        },
      },
    }),
    new PolicyStatement({
      sid: 'TagThemAsTheyStart',
      actions: ['elasticmapreduce:AddTags'],
      resources: [anyCluster],
      conditions: {
        StringEquals: { [`elasticmapreduce:RequestTag/${MANAGED_POLICY_TAG.key}`]: MANAGED_POLICY_TAG.value },
      },
    }),
    new PolicyStatement({
      sid: 'UseOurClusters',
      actions: [
        'elasticmapreduce:DescribeCluster',
        'elasticmapreduce:TerminateJobFlows',
        'elasticmapreduce:AddJobFlowSteps',
        'elasticmapreduce:DescribeStep',
        'elasticmapreduce:CancelSteps',
      ],
      resources: [anyCluster],
      conditions: { StringEquals: asOurs('ResourceTag') },
    }),
    new PolicyStatement({
      sid: 'LetThemEndWhenIdle',
      // Asked for while the cluster is being made, when it has no tags yet.
      actions: ['elasticmapreduce:PutAutoTerminationPolicy'],
      resources: [anyCluster],
    }),
    new PolicyStatement({
      sid: 'FirstClusterOfAnAccount',
      actions: ['iam:CreateServiceLinkedRole'],
      resources: [
        `arn:${Aws.PARTITION}:iam::${Aws.ACCOUNT_ID}:role/aws-service-role/elasticmapreduce.amazonaws.com/AWSServiceRoleForEMRCleanup`,
      ],
      conditions: { StringEquals: { 'iam:AWSServiceName': 'elasticmapreduce.amazonaws.com' } },
    }),
    new PolicyStatement({
      sid: 'ClustersTakeTheirRoles',
      actions: ['iam:PassRole'],
      resources: [cluster.serviceRole.roleArn, cluster.instanceRole.roleArn],
      conditions: {
        StringLike: { 'iam:PassedToService': ['elasticmapreduce.amazonaws.com*', 'ec2.amazonaws.com*'] },
      },
    }),
    new PolicyStatement({
      sid: 'HearOfTheirEnds',
      actions: ['events:PutTargets', 'events:PutRule', 'events:DescribeRule'],
      resources: ['RunJobFlow', 'AddJobFlowSteps', 'TerminateJobFlows'].map((call) =>
        arnOf('events', `rule/StepFunctionsGetEventForEMR${call}Rule`),
      ),
    }),
  ];
}

/** Athena reads tables and writes results with the rights of who asks. */
function reconciliation({ lakeBucket, resultsBucket, workgroupName }: StorageStack): PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'CountTheLake',
      actions: ['athena:StartQueryExecution', 'athena:GetQueryExecution', 'athena:StopQueryExecution'],
      resources: [arnOf('athena', `workgroup/${workgroupName}`)],
    }),
    new PolicyStatement({
      sid: 'KnowTheCatalog',
      actions: ['athena:GetDataCatalog'],
      resources: [arnOf('athena', 'datacatalog/AwsDataCatalog')],
    }),
    new PolicyStatement({
      sid: 'AthenaLooksForTheDefaultDatabase',
      actions: ['glue:GetDatabase'],
      resources: ['catalog', 'database/default'].map((resource) => arnOf('glue', resource)),
    }),
    new PolicyStatement({
      sid: 'ReadTheCatalog',
      actions: ['glue:GetDatabase', 'glue:GetTable', 'glue:GetTables', 'glue:GetPartitions'],
      resources: ['catalog', `database/${DATABASE}`, `table/${DATABASE}/*`].map((resource) =>
        arnOf('glue', resource),
      ),
    }),
    new PolicyStatement({
      sid: 'ReadTheTables',
      actions: ['s3:GetObject'],
      resources: [WAREHOUSE, EXTERNAL_TABLES].map((folder) => lakeBucket.arnForObjects(`${folder}/*`)),
    }),
    new PolicyStatement({
      sid: 'WriteResults',
      actions: ['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
      resources: [resultsBucket.arnForObjects('*')],
    }),
    new PolicyStatement({
      sid: 'ListBuckets',
      actions: ['s3:ListBucket', 's3:GetBucketLocation', 's3:ListBucketMultipartUploads'],
      resources: [lakeBucket.bucketArn, resultsBucket.bucketArn],
    }),
  ];
}

function own({ storage, functions, notifierArn }: ExecutionRoleProps): PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'CallTheLambdas',
      actions: ['lambda:InvokeFunction'],
      resources: functions.map(({ functionArn }) => functionArn),
    }),
    new PolicyStatement({
      sid: 'StartTheNotifier',
      actions: ['states:StartExecution'],
      resources: [notifierArn],
    }),
    useKey(storage.key),
  ];
}
