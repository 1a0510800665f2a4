/**
 * What the state machine may do. Written out, because CDK's tasks grant EMR's and Athena's actions on every
 * cluster, bucket and table of the account.
 */
import { Aws } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { EXTERNAL_TABLES, WAREHOUSE } from '../../domain/lake.ts';
import { CLUSTER_TAGS, MANAGED_POLICY_TAG } from '../../domain/operations.ts';
import { arnOf, glueArns } from '../arns.ts';
import type { ClusterProfile } from '../compute/cluster-profile.ts';
import { useKey } from '../storage/data-key.ts';
import type { Storage } from '../storage/storage-stack.ts';
import { StateMachineRole } from './state-machine-role.ts';

export interface ExecutionRoleProps {
  /** Whose clusters it starts, and the roles that they get. */
  readonly cluster: Pick<ClusterProfile, 'pipelineName' | 'serviceRole' | 'instanceRole'>;
  readonly storage: Pick<Storage, 'key' | 'lakeBucket' | 'resultsBucket' | 'workgroupName' | 'databaseName'>;
  /** The Lambdas of which it calls versions. */
  readonly functions: readonly IFunction[];
  readonly notifierArn: string;
}

/** The role of the pipeline's own state machine. */
export class ExecutionRole extends StateMachineRole {
  constructor(scope: Construct, id: string, props: ExecutionRoleProps) {
    super(scope, id, {
      description: 'Runs of the churn pipeline',
      statements: [...clusters(props), ...reconciliation(props.storage), ...own(props)],
    });
  }
}

function clusters({ cluster }: ExecutionRoleProps): PolicyStatement[] {
  const anyCluster = arnOf('elasticmapreduce', 'cluster/*');
  const pipelineTag = (key: 'RequestTag' | 'ResourceTag'): object => ({
    [`elasticmapreduce:${key}/${CLUSTER_TAGS.pipeline}`]: cluster.pipelineName,
  });
  return [
    new PolicyStatement({
      sid: 'StartPipelineClusters',
      // RunJobFlow has no resource to name; the tags that it has to set restrict it to this pipeline.
      actions: ['elasticmapreduce:RunJobFlow'],
      resources: ['*'],
      conditions: {
        StringEquals: {
          ...pipelineTag('RequestTag'),
          [`elasticmapreduce:RequestTag/${MANAGED_POLICY_TAG.key}`]: MANAGED_POLICY_TAG.value,
        },
      },
    }),
    new PolicyStatement({
      sid: 'TagClustersAtStart',
      actions: ['elasticmapreduce:AddTags'],
      resources: [anyCluster],
      conditions: {
        StringEquals: { [`elasticmapreduce:RequestTag/${MANAGED_POLICY_TAG.key}`]: MANAGED_POLICY_TAG.value },
      },
    }),
    new PolicyStatement({
      sid: 'ManagePipelineClusters',
      actions: [
        'elasticmapreduce:DescribeCluster',
        'elasticmapreduce:TerminateJobFlows',
        'elasticmapreduce:AddJobFlowSteps',
        'elasticmapreduce:DescribeStep',
        'elasticmapreduce:CancelSteps',
      ],
      resources: [anyCluster],
      conditions: { StringEquals: pipelineTag('ResourceTag') },
    }),
    new PolicyStatement({
      sid: 'SetIdleTermination',
      // Called while the cluster is being made, when it has no tags yet.
      actions: ['elasticmapreduce:PutAutoTerminationPolicy'],
      resources: [anyCluster],
    }),
    new PolicyStatement({
      // EMR needs it before the first cluster of an account.
      sid: 'CreateEmrCleanupRole',
      actions: ['iam:CreateServiceLinkedRole'],
      resources: [
        `arn:${Aws.PARTITION}:iam::${Aws.ACCOUNT_ID}:role/aws-service-role/elasticmapreduce.amazonaws.com/AWSServiceRoleForEMRCleanup`,
      ],
      conditions: { StringEquals: { 'iam:AWSServiceName': 'elasticmapreduce.amazonaws.com' } },
    }),
    new PolicyStatement({
      sid: 'PassClusterRoles',
      actions: ['iam:PassRole'],
      resources: [cluster.serviceRole.roleArn, cluster.instanceRole.roleArn],
      conditions: {
        StringLike: { 'iam:PassedToService': ['elasticmapreduce.amazonaws.com*', 'ec2.amazonaws.com*'] },
      },
    }),
    new PolicyStatement({
      // Step Functions learns by these rules that a cluster or a step has finished.
      sid: 'ManageEmrEventRules',
      actions: ['events:PutTargets', 'events:PutRule', 'events:DescribeRule'],
      resources: ['RunJobFlow', 'AddJobFlowSteps', 'TerminateJobFlows'].map((call) =>
        arnOf('events', `rule/StepFunctionsGetEventForEMR${call}Rule`),
      ),
    }),
  ];
}

/** Athena reads tables and writes results with the permissions of the caller. */
function reconciliation({
  lakeBucket,
  resultsBucket,
  workgroupName,
  databaseName,
}: ExecutionRoleProps['storage']): PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'RunReconciliationQuery',
      actions: ['athena:StartQueryExecution', 'athena:GetQueryExecution', 'athena:StopQueryExecution'],
      resources: [arnOf('athena', `workgroup/${workgroupName}`)],
    }),
    new PolicyStatement({
      sid: 'ReadDataCatalog',
      actions: ['athena:GetDataCatalog'],
      resources: [arnOf('athena', 'datacatalog/AwsDataCatalog')],
    }),
    new PolicyStatement({
      // Athena looks for it before any query.
      sid: 'ReadDefaultDatabase',
      actions: ['glue:GetDatabase'],
      resources: ['catalog', 'database/default'].map((resource) => arnOf('glue', resource)),
    }),
    new PolicyStatement({
      sid: 'ReadTableDefinitions',
      actions: ['glue:GetDatabase', 'glue:GetTable', 'glue:GetTables', 'glue:GetPartitions'],
      resources: [...glueArns(databaseName)],
    }),
    new PolicyStatement({
      sid: 'ReadTableData',
      actions: ['s3:GetObject'],
      resources: [WAREHOUSE, EXTERNAL_TABLES].map((folder) => lakeBucket.arnForObjects(`${folder}/*`)),
    }),
    new PolicyStatement({
      sid: 'WriteQueryResults',
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
      sid: 'InvokeLambdas',
      actions: ['lambda:InvokeFunction'],
      // Every version: runs that are in progress call those of earlier deployments.
      resources: functions.map(({ functionArn }) => `${functionArn}:*`),
    }),
    new PolicyStatement({
      sid: 'StartNotifier',
      actions: ['states:StartExecution'],
      resources: [notifierArn],
    }),
    useKey(storage.key),
  ];
}
