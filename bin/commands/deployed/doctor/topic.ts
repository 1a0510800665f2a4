/** What the attributes of a topic mean for notifications. Pure functions. */
import { z } from 'zod';
import { type Finding, ok } from '../../../../domain/preflight.ts';
import { problem } from './findings.ts';

/** The attributes that are read, as SNS writes them. */
export type TopicAttributes = Readonly<Partial<Record<string, string>>>;

const PUBLISHER = 'cloudwatch.amazonaws.com';
const oneOrMore = z.union([z.string().array(), z.string().transform((text) => [text])]);
const policySchema = z.object({
  Statement: z.array(
    z.object({
      Effect: z.string(),
      Principal: z.union([z.string(), z.record(z.string(), oneOrMore)]).optional(),
      Action: oneOrMore.optional(),
    }),
  ),
});
type Statement = z.infer<typeof policySchema>['Statement'][number];

/** Whether anybody is notified, and whether alarms reach the topic. */
export function topicFindings(attributes: TopicAttributes): readonly Finding[] {
  return [subscriberFinding(attributes), publisherFinding(attributes), keyFinding(attributes)];
}

function subscriberFinding({ SubscriptionsConfirmed, SubscriptionsPending }: TopicAttributes): Finding {
  const check = 'subscribers of the topic';
  const pending = Number(SubscriptionsPending ?? 0);
  const confirmed = Number(SubscriptionsConfirmed ?? 0);
  if (confirmed > 0) return ok(check, `${confirmed} confirmed, ${pending} not confirmed`);
  return pending > 0
    ? problem(check, `${pending} not confirmed, so nobody is notified`, 'confirm the e-mail of SNS')
    : problem(
        check,
        'there are none, so nobody is notified',
        'deploy with churn:alarmEmail, or subscribe to the topic',
      );
}

function publisherFinding({ Policy = '{"Statement":[]}' }: TopicAttributes): Finding {
  const check = 'policy of the topic';
  return policySchema.parse(JSON.parse(Policy)).Statement.some(letsAlarmsPublish)
    ? ok(check, 'lets CloudWatch publish alarms')
    : problem(
        check,
        'does not let CloudWatch publish alarms',
        `have its owner allow ${PUBLISHER} sns:Publish (docs/deploy.md, "An existing topic")`,
      );
}

/** SNS's own first policy allows everybody, on the condition that it is for the topic's owner; alarms are. */
function letsAlarmsPublish({ Effect, Principal, Action = [] }: Statement): boolean {
  const names =
    typeof Principal === 'string'
      ? [Principal]
      : [...(Principal?.Service ?? []), ...(Principal?.AWS ?? []).filter((name) => name === '*')];
  return (
    Effect === 'Allow' &&
    names.some((name) => name === '*' || name === PUBLISHER) &&
    Action.some((action) => /^(\*|sns:(\*|publish))$/i.test(action))
  );
}

function keyFinding({ KmsMasterKeyId }: TopicAttributes): Finding {
  const check = 'key of the topic';
  if (KmsMasterKeyId === undefined) return ok(check, 'none');
  return KmsMasterKeyId.endsWith('alias/aws/sns')
    ? problem(
        check,
        "SNS's own key: CloudWatch may not use it, and alarms are lost without an error",
        'have its owner encrypt it with a customer key that CloudWatch may use (docs/deploy.md, "An existing topic")',
      )
    : ok(check, 'a customer key; its policy, which has to let CloudWatch in, is not checked');
}
