/** The customer key that everything at rest is encrypted with, and which services may use it for what. */
import { Aws, RemovalPolicy } from 'aws-cdk-lib';
import { AnyPrincipal, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { arnOf, arnOfServiceLinkedRole } from '../arns.ts';
import { logGroupNames } from '../pipeline-log-group.ts';

export interface DataKeyProps {
  /** Begins the names of the deployment, the key's alias among them. */
  readonly prefix: string;
  /**
   * What happens to the key when its stack is deleted.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

const SPOT_ROLE = { name: 'AWSServiceRoleForEC2Spot', service: 'spot.amazonaws.com' } as const;

/** A key that rotates. Roles of this account are given what they need by their own statements. */
export class DataKey extends Construct {
  readonly key: IKey;

  constructor(scope: Construct, id: string, props: DataKeyProps) {
    super(scope, id);
    const { prefix, removalPolicy = RemovalPolicy.RETAIN } = props;
    const key = new Key(this, 'Default', {
      alias: `${prefix}/data`,
      description: `${prefix}: lake, logs, queues, topics and local disks`,
      enableKeyRotation: true,
      removalPolicy,
    });
    for (const statement of servicesThatUseTheKey(prefix)) key.addToResourcePolicy(statement);
    this.key = key;
  }
}

/** Reading and writing what the key encrypts. */
export function useKey(key: IKey): PolicyStatement {
  return new PolicyStatement({
    sid: 'UseDataKey',
    actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
    resources: [key.keyArn],
  });
}

/**
 * The role by which EC2 launches spot instances: their volumes are under the key, which the role's own policy does not
 * allow it to use. Its ARN is a condition, because a key whose policy has a principal that does not exist yet cannot be
 * created; the principal is anyone, because a policy that names the account leaves it to the role's own policy.
 */
function spotInstances(sid: string, actions: readonly string[], conditions: object = {}): PolicyStatement {
  return new PolicyStatement({
    sid,
    principals: [new AnyPrincipal()],
    actions: [...actions],
    resources: ['*'],
    conditions: {
      StringEquals: { 'kms:CallerAccount': Aws.ACCOUNT_ID },
      ArnEquals: { 'aws:PrincipalArn': arnOfServiceLinkedRole(SPOT_ROLE) },
      ...conditions,
    },
  });
}

/** Without the first two, what a service sends to an encrypted topic or queue is lost without an error. */
function servicesThatUseTheKey(prefix: string): readonly PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'AllowAlarmsToPublish',
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: ['*'],
      conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
    }),
    // EventBridge does not pass on for whom it sends; the queue's own policy names the rules.
    new PolicyStatement({
      sid: 'AllowEventRulesToSendDeadLetters',
      principals: [new ServicePrincipal('events.amazonaws.com')],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: ['*'],
    }),
    spotInstances('AllowSpotInstancesToUseVolumes', [
      'kms:Decrypt',
      'kms:DescribeKey',
      'kms:Encrypt',
      'kms:GenerateDataKey',
      'kms:GenerateDataKeyWithoutPlaintext',
      'kms:ReEncryptFrom',
      'kms:ReEncryptTo',
    ]),
    spotInstances('AllowSpotInstancesToGrantVolumes', ['kms:CreateGrant'], {
      Bool: { 'kms:GrantIsForAWSResource': true },
    }),
    new PolicyStatement({
      sid: 'AllowLogGroupsOfThisDeployment',
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
  ];
}
