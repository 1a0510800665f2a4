/** Who is notified about runs and alarms: an address, or an existing topic. */
import { Annotations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** The keys that say who is notified. */
interface Recipients {
  readonly alarmEmail?: string | undefined;
  readonly alarmTopicArn?: string | undefined;
  readonly alarmTopicKeyArn?: string | undefined;
}

/** What is wrong with them, by key. A deployment to prod that notifies nobody would fail silently. */
export function recipientProblems(
  value: Recipients & { readonly stage: string; readonly region?: string | undefined },
): readonly (readonly [string, string])[] {
  const { stage, region, alarmEmail, alarmTopicArn, alarmTopicKeyArn } = value;
  const problems: [string, string][] = [];
  if (stage === 'prod' && !hasRecipient(value)) {
    problems.push(['alarmEmail', 'prod needs somebody who is notified: set alarmEmail or alarmTopicArn']);
  }
  if (alarmTopicArn === undefined) {
    if (alarmTopicKeyArn !== undefined)
      problems.push(['alarmTopicKeyArn', 'can be set only together with alarmTopicArn']);
    return problems;
  }
  if (alarmEmail !== undefined)
    problems.push(['alarmEmail', 'cannot be set together with alarmTopicArn: subscribe it to that topic']);
  const topicRegion = alarmTopicArn.split(':')[3];
  if (region !== undefined && topicRegion !== region)
    problems.push(['alarmTopicArn', `is in ${topicRegion}: alarms reach only topics in ${region}`]);
  return problems;
}

/** Warns at synth of a deployment that notifies nobody, which may be intended in dev. */
export function warnWithoutRecipient(scope: IConstruct, recipients: Recipients): void {
  if (hasRecipient(recipients)) return;
  Annotations.of(scope).addWarningV2(
    'churn:no-recipient',
    'Nobody is notified about runs and alarms: set churn:alarmEmail or churn:alarmTopicArn, or subscribe to the topic by hand.',
  );
}

function hasRecipient({ alarmEmail, alarmTopicArn }: Recipients): boolean {
  return alarmEmail !== undefined || alarmTopicArn !== undefined;
}
