/**
 * Wildcards where cdk-nag does not look, with the reason for each: policies of resources, trust in roles, and
 * conditions. What a role's own statements have is in reviewed-findings.ts.
 */

export interface ReviewedWildcard {
  /** Stack and resource, as `storage/Key`. */
  readonly resource: RegExp;
  /** Part of a statement and what stands there, as `Resource *`. */
  readonly value: RegExp;
  readonly reason: string;
}

export const REVIEWED_WILDCARDS: readonly ReviewedWildcard[] = [
  {
    resource: /^storage\/Key$/,
    value: /^Resource \*$/,
    reason: "In a key's policy it means this key; its ARN is not known before it is made",
  },
  {
    resource: /^storage\/Key$/,
    value: /^Action kms:\*$/,
    reason:
      'The account itself: without it nobody could change the policy, nor roles have statements of their own',
  },
  {
    resource: /^storage\/Key$/,
    value: /^Principal \*$/,
    reason:
      'The one role that launches spot instances, by condition: a principal that does not exist yet is refused, and naming the account would not suffice',
  },
  {
    resource: /^storage\/AccessLogsPolicy$/,
    value: /^Resource <AccessLogs Arn>\/\w+\/\*$/,
    reason: 'S3 names the access logs that it delivers, below one prefix for each bucket',
  },
  {
    resource: /^storage\/\w+Policy$/,
    value: /^(Action s3:(PutBucketPolicy|GetBucket|List|DeleteObject)\*|Resource <\w+ Arn>\/\*)$/,
    reason: 'CDK empties a bucket before it is deleted, only after both yeses',
  },
  {
    resource: /^network\/VpcS3$/,
    value: /^Principal \*$/,
    reason: 'An endpoint asks for nobody in particular; roles and buckets decide who may do what',
  },
  {
    resource: /^network\/VpcS3$/,
    value: /^Resource \*$/,
    reason:
      'Buckets of this account for its own principals, by condition; the role of the instances names them',
  },
  {
    resource: /^network\/VpcS3$/,
    value: /^Resource arn:<Partition>:s3:::(al2023-repos-|repo\.).*\/\*$/,
    reason: 'Packages that Amazon Linux and EMR install themselves from',
  },
  {
    resource: /^network\/VpcS3$/,
    value: /^Resource arn:<Partition>:s3:::(<aws157-logs-prod |prod\.).*\/\*$/,
    reason: 'EMR names the logs and histories that it keeps of a cluster',
  },
  {
    resource: /^(compute\/ServiceRole|notebook\/(ServiceRole|StudioRole))$/,
    value: /^Condition aws:SourceArn .*:elasticmapreduce:.*:\*$/,
    reason: 'The role is taken on before the cluster has an id',
  },
  {
    resource: /^((compute|notebook)\/ServiceRole|pipeline\/StateMachineExecution)\w*Policy$/,
    value: /^Condition iam:PassedToService (ec2|elasticmapreduce)\.amazonaws\.com\*$/,
    reason: "A suffix follows the service's name in China",
  },
];
