/** The topic of everything that people are notified about: each run, and each alarm. */
import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';

export interface NotificationsProps {
  /** Begins the topic's name. */
  readonly prefix: string;
  /** Encrypts messages; its policy lets alarms use it. */
  readonly key: IKey;
  /**
   * Address that is subscribed; it has to confirm once.
   * @default nobody is subscribed
   */
  readonly email?: string | undefined;
}

export class Notifications extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, { prefix, key, email }: NotificationsProps) {
    super(scope, id);
    this.topic = new Topic(this, 'Default', {
      topicName: `${prefix}-notifications`,
      displayName: 'Churn pipeline',
      masterKey: key,
      enforceSSL: true,
    });
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AllowAlarmsToPublish',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    if (email !== undefined) this.topic.addSubscription(new EmailSubscription(email));
  }
}
