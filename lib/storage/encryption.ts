/** The customer key that everything at rest is encrypted with, and which services may use it for what. */
import { Aws, type RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { arnOf } from '../arns.ts';
import { logGroupNames } from '../log-groups.ts';

interface ServiceUse {
  readonly sid: string;
  readonly service: string;
  /** Conditions under which the service may use the key. */
  readonly conditions?: Readonly<Record<string, object>>;
}

const FOR_THIS_ACCOUNT = { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } };

/** Services that hand something encrypted to a topic or a queue. Without this it vanishes silently. */
const SENDERS: readonly ServiceUse[] = [
  { sid: 'AlarmsPublishToTheTopic', service: 'cloudwatch.amazonaws.com', conditions: FOR_THIS_ACCOUNT },
  // EventBridge does not tell KMS for whom it sends; the queue's own policy names the rules.
  { sid: 'RulesWriteToTheDeadLetterQueue', service: 'events.amazonaws.com' },
];

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
  for (const { sid, service, conditions } of SENDERS) {
    key.addToResourcePolicy(
      new PolicyStatement({
        sid,
        principals: [new ServicePrincipal(service)],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: ['*'],
        ...(conditions === undefined ? {} : { conditions }),
      }),
    );
  }
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'LogsOfThisDeployment',
      principals: [new ServicePrincipal(`logs.${Aws.REGION}.amazonaws.com`)],
      actions: [
        'kms:Encrypt',
        'kms:Decrypt',
        'kms:ReEncryptFrom',
        'kms:ReEncryptTo',
        'kms:GenerateDataKey',
        'kms:GenerateDataKeyWithoutPlaintext',
        'kms:DescribeKey',
      ],
      resources: ['*'],
      conditions: {
        ArnEquals: {
          'kms:EncryptionContext:aws:logs:arn': logGroupNames(prefix).map((name) =>
            arnOf('logs', `log-group:${name}`),
          ),
        },
      },
    }),
  );
  return key;
}
