/** The customer key that everything at rest is encrypted with, and which services may use it for what. */
import { Aws, type RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';

/** Services that encrypt on our behalf, each under the condition that it does so for this account. */
const SERVICES = [
  {
    // Alarms publish to an encrypted topic only when CloudWatch itself may use the key; otherwise they vanish silently.
    sid: 'AlarmsPublishToTheTopic',
    service: 'cloudwatch.amazonaws.com',
    actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
  },
  {
    sid: 'RulesWriteToTheDeadLetterQueue',
    service: 'events.amazonaws.com',
    actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
  },
  {
    sid: 'BudgetsPublishToTheTopic',
    service: 'budgets.amazonaws.com',
    actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
  },
] as const;

/** Makes the key. Roles of this account get what they need by their own statements. */
export function encryptionKey(
  scope: Construct,
  id: string,
  prefix: string,
  removalPolicy: RemovalPolicy,
): Key {
  const key = new Key(scope, id, {
    alias: `${prefix}/data`,
    description: `${prefix}: lake, logs, queues, topics and local disks`,
    enableKeyRotation: true,
    removalPolicy,
  });
  for (const { sid, service, actions } of SERVICES) {
    key.addToResourcePolicy(
      new PolicyStatement({
        sid,
        principals: [new ServicePrincipal(service)],
        actions: [...actions],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    );
  }
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'LogsOfThisDeployment',
      principals: [new ServicePrincipal(`logs.${Aws.REGION}.amazonaws.com`)],
      actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
      resources: ['*'],
      conditions: {
        ArnLike: {
          'kms:EncryptionContext:aws:logs:arn': `arn:${Aws.PARTITION}:logs:${Aws.REGION}:${Aws.ACCOUNT_ID}:log-group:*${prefix}*`,
        },
      },
    }),
  );
  return key;
}
