/** The topic of everything that people are notified about: each run, and each alarm. */
import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { topicName } from '../../domain/operations.ts';

export interface ExistingTopic {
  /** A standard topic of this Region. Its owner lets the notifier and CloudWatch publish (docs/deploy.md). */
  readonly topicArn: string;
  /**
   * ARN of the customer key that it is encrypted with.
   * @default it is not encrypted with a customer key
   */
  readonly keyArn?: string | undefined;
}

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
  /**
   * A topic that is notified instead; its owner decides who is subscribed.
   * @default a topic is made
   */
  readonly existing?: ExistingTopic | undefined;
}

export class Notifications extends Construct {
  readonly topic: ITopic;
  /** What publishers have to be allowed to use; undefined for a topic that no customer key encrypts. */
  readonly key: IKey | undefined;

  constructor(scope: Construct, id: string, props: NotificationsProps) {
    super(scope, id);
    const { existing } = props;
    if (existing === undefined) {
      this.topic = this.#topic(props);
      this.key = props.key;
    } else {
      this.topic = Topic.fromTopicArn(this, 'Topic', existing.topicArn);
      this.key = existing.keyArn === undefined ? undefined : Key.fromKeyArn(this, 'Key', existing.keyArn);
    }
  }

  #topic({ prefix, key, email }: NotificationsProps): ITopic {
    const topic = new Topic(this, 'Default', {
      topicName: topicName(prefix),
      displayName: `Churn pipeline ${prefix}`,
      masterKey: key,
      enforceSSL: true,
    });
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AllowAlarmsToPublish',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    if (email !== undefined) topic.addSubscription(new EmailSubscription(email));
    return topic;
  }
}
