/** What cdk-nag finds and a review accepted: every finding with the reason. */
import { FUNCTION_NAMES } from '../../domain/operations.ts';

export interface ReviewedFinding {
  readonly rule: string;
  /** Which of the rule's findings; absent where the rule has only one. */
  readonly finding?: RegExp;
  /** Path of the constructs it was reviewed for. */
  readonly constructs: RegExp;
  readonly reason: string;
}

const wildcard = (finding: RegExp, constructs: RegExp, reason: string): ReviewedFinding => ({
  rule: 'AwsSolutions-IAM5',
  finding,
  constructs,
  reason,
});

const LAMBDA_ROLES = new RegExp(`-pipeline/(${FUNCTION_NAMES.join('|')})/Role/`);
const EXECUTION_ROLE = /-pipeline\/StateMachine\/Execution\/Policy\//;
const NOTIFIER_ROLE = /-pipeline\/Notifier\/Execution\/Policy\//;
const INSTANCE_ROLE = /-compute\/InstanceRole\//;
const STUDIO_ROLE = /-notebook\/StudioRole\//;
const KERNEL_ROLE = /-notebook\/KernelRole\//;
const LAUNCH_ROLE = /-notebook\/Catalog\/LaunchRole\//;
const NOTEBOOK_USER = /-notebook\/User\//;
const NOTEBOOK_CLUSTER = /-notebook\/Cluster\/Cluster$/;

export const REVIEWED_FINDINGS: readonly ReviewedFinding[] = [
  {
    rule: 'AwsSolutions-IAM4',
    finding: /AmazonEMRServicePolicy_v2$/,
    constructs: /-(compute|notebook)\/ServiceRole\//,
    reason: "AWS maintains EMR's own rights; the policy acts only on what carries its tag",
  },
  {
    rule: 'AwsSolutions-SQS3',
    constructs: /-pipeline\/DeadLetters\//,
    reason: 'It is the dead-letter queue itself; an alarm watches it',
  },
  wildcard(
    /Resource::.*Lake[^/]*\/\*$/,
    INSTANCE_ROLE,
    'Spark writes every table, model and result: the objects of this one bucket, whose names it chooses',
  ),
  wildcard(/Resource::.*ClusterLogs[^/]*\/\*$/, INSTANCE_ROLE, 'EMR names the log objects of a cluster'),
  wildcard(
    // A bucket made here, or an existing one; `churn:rawPrefix` names the prefix.
    /Resource::.*(RawEvents|:s3:::)[^/]*\/.+\/\*$/,
    INSTANCE_ROLE,
    'The event files below one prefix of one bucket',
  ),
  wildcard(
    /Resource::.*:s3:::cdk-[^/]+\/\*\.(py|sh|zip)$/,
    INSTANCE_ROLE,
    'Scripts and packages of every deployment: a run in progress uses those of the one that it began with',
  ),
  wildcard(
    /Resource::(<\w+\.Arn>|.*:function:[^:]+):\*$/,
    EXECUTION_ROLE,
    'All versions of this one Lambda: a run in progress calls those of the deployment that it began with',
  ),
  wildcard(
    /Resource::.*:table\/[^/*]+\/\*$/,
    /InstanceRole|KernelRole|StateMachine\/Execution\/Policy/,
    'The tables of this one Glue database',
  ),
  wildcard(
    /Resource::.*\/(pending|drafts|index|tables|runs|models|reports)\/.*\*.*$/,
    /-pipeline\//,
    'Objects below one prefix of the lake, named by run or batch',
  ),
  wildcard(/Resource::.*\/warehouse\/\*$/, EXECUTION_ROLE, 'Data files of the tables that Athena counts'),
  wildcard(
    /Resource::.*QueryResults.*\/\*$/,
    /-pipeline\//,
    'Athena names the objects of its results; the bucket holds nothing else',
  ),
  wildcard(
    /Resource::.*:execution:[^:]+:\*$/,
    LAMBDA_ROLES,
    'Executions of this one state machine; their names come with each run',
  ),
  wildcard(
    /Resource::.*:elasticmapreduce:.*:cluster\/\*$/,
    /-pipeline\//,
    'Ids of clusters come with each run; what changes one asks for the tag of this pipeline',
  ),
  wildcard(
    /Resource::\*$/,
    EXECUTION_ROLE,
    'RunJobFlow (conditioned on the tags it sets), log delivery and X-Ray have no resource to name',
  ),
  wildcard(/Resource::\*$/, NOTIFIER_ROLE, 'Log delivery and X-Ray have no resource to name'),
  wildcard(
    /Resource::\*$/,
    LAMBDA_ROLES,
    'ListClusters, quotas, what EC2 tells of offers, instances, subnets and spot prices, and X-Ray have no resource to name',
  ),
  wildcard(
    /Resource::.*:ec2:.*:(network-interface|security-group|subnet|instance)\/\*$/,
    STUDIO_ROLE,
    "Ids of interfaces and clusters are not known before; the statements ask for EMR's tag, but for one that AWS's guide wants without",
  ),
  wildcard(
    /Resource::\*$/,
    STUDIO_ROLE,
    "EC2's descriptions have no resource to name; rules of groups are changed only where EMR's tag is",
  ),
  wildcard(
    /Resource::.*:elasticmapreduce:.*:cluster\/\*$/,
    /-notebook\/(StudioRole|Catalog)\//,
    'Ids of clusters come when one is launched; what changes one asks for the tag of the notebook',
  ),
  wildcard(
    /Resource::.*:secret:emr-studio-\*$/,
    /-notebook\/(StudioRole|User)\//,
    'Secrets of linked Git repositories: EMR Studio begins their names so',
  ),
  wildcard(
    /Resource::.*Workspaces[^/]*\/\*$/,
    STUDIO_ROLE,
    'Files of the workspaces; the bucket holds nothing else',
  ),
  wildcard(
    /Resource::.*(Lake[^/]*\/(tables|warehouse)|QueryResults[^/]*|ClusterLogs[^/]*\/notebooks)\/\*$/,
    KERNEL_ROLE,
    'A kernel reads tables, and writes results of Athena and logs of its cluster, whose objects EMR and Athena name',
  ),
  wildcard(
    /Resource::\*$/,
    NOTEBOOK_USER,
    'Workspaces, repositories, products and descriptions have no resource to name',
  ),
  wildcard(
    /Resource::\*$/,
    LAUNCH_ROLE,
    "Validating a template has no resource to name; templates are Service Catalog's, clusters those with the notebook's tag, by condition",
  ),
  wildcard(/Resource::.*:stack\/SC-\*$/, LAUNCH_ROLE, 'Service Catalog names the stacks that it launches'),
  ...['AwsSolutions-EMR4', 'AwsSolutions-EMR5'].map((rule) => ({
    rule,
    constructs: NOTEBOOK_CLUSTER,
    reason:
      'Its security configuration encrypts disks and objects (the rule cannot follow the reference); with one instance, nothing is in transit within the cluster',
  })),
  {
    rule: 'AwsSolutions-EMR6',
    constructs: NOTEBOOK_CLUSTER,
    reason:
      'EMR Studio cannot attach to clusters with Kerberos; there is no key pair, because nobody signs in',
  },
];
