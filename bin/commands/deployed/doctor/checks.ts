/** Every check of `churn doctor`, in the order in which they are shown. */
import {
  errorText,
  type Finding,
  ok,
  quotaFindings,
  roleFinding,
  SERVICE_LINKED_ROLES,
  subnetTagFinding,
  tagFinding,
  unknown,
  vcpusNeeded,
} from '../../../../domain/preflight.ts';
import { sizeOnEmr } from '../../../../domain/sizing.ts';
import { AwsAccount } from '../../../../lambda/aws/aws-account.ts';
import { withRemedy } from '../errors.ts';
import type { DoctorClients } from './clients.ts';
import type { Facts } from './facts.ts';
import {
  bucketRegionFinding,
  eventLogFinding,
  lakeFormationFinding,
  problem,
  publicAccessFinding,
} from './findings.ts';
import {
  bucketRegion,
  catalogDefaults,
  eventLog,
  publicAccess,
  publishTest,
  securityGroups,
  topicAttributes,
} from './questions.ts';
import { topicFindings } from './topic.ts';

/** People wait for the answers; a Lambda does not wait as long. */
const PATIENCE_MILLISECONDS = 60_000;

export interface CheckOptions {
  /** Name of the deployment. */
  readonly pipeline: string;
  /** Whether a test message is sent to a topic that belongs to others. */
  readonly notify: boolean;
}

export async function runChecks(
  facts: Facts,
  clients: DoctorClients,
  options: CheckOptions,
): Promise<readonly Finding[]> {
  const { deployment, securityGroupIds } = facts;
  const { region, subnetIds, eventsRoot, lakeRoot, database } = deployment;
  const account = new AwsAccount(clients, PATIENCE_MILLISECONDS);
  const log = answered(eventLog(clients.s3, eventsRoot));
  const found = await Promise.all([
    check('quotas of EC2', async () => {
      const needed = vcpusNeeded(await firstCluster(log, region));
      return quotaFindings(needed, await account.quotas(), region);
    }),
    ...SERVICE_LINKED_ROLES.map((role) =>
      check(`role ${role.name}`, async () => [roleFinding(role, await account.hasServiceLinkedRole(role))]),
    ),
    check('tags of the subnets', async () => [
      subnetTagFinding(subnetIds, await account.untaggedSubnets(subnetIds)),
    ]),
    check('tags of the security groups', async () => {
      const { untagged } = await securityGroups(clients.ec2, securityGroupIds);
      return [tagFinding({ what: 'security groups', ids: securityGroupIds, untagged, uses: 'all' })];
    }),
    check('block public access of EMR', async () => {
      const { open } = await securityGroups(clients.ec2, securityGroupIds);
      return [publicAccessFinding(await publicAccess(clients.emr), open)];
    }),
    check('defaults of Lake Formation', async () => [
      lakeFormationFinding(await catalogDefaults(clients.lakeFormation), database),
    ]),
    ...[...new Set([eventsRoot, lakeRoot].map(bucketOf))].map((bucket) =>
      check(`Region of the bucket ${bucket}`, async () => [
        bucketRegionFinding(bucket, await bucketRegion(clients.s3, bucket), region),
      ]),
    ),
    check(`event files at ${eventsRoot}`, async () => {
      const answer = await log;
      if ('error' in answer) throw answer.error;
      return [eventLogFinding(answer.value)];
    }),
    check('topic', async () => topicFindings(await topicAttributes(clients.sns, facts.topicArn))),
    testMessage(facts, clients, options),
  ]);
  return found.flat();
}

/** The findings of a check, or that there was no answer. */
async function check(name: string, find: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await find();
  } catch (error) {
    return [unknown(name, withRemedy(error))];
  }
}

type Answer<Value> = { readonly value: Value } | { readonly error: unknown };

/** Two checks wait for the log; none of them has to answer for its error alone. */
async function answered<Value>(question: Promise<Value>): Promise<Answer<Value>> {
  try {
    return { value: await question };
  } catch (error) {
    return { error };
  }
}

/** The cluster of a run that ingests the whole log, or the smallest one if the log is not known. */
async function firstCluster(
  log: Promise<Answer<{ readonly bytes: number }>>,
  region: string,
): Promise<ReturnType<typeof sizeOnEmr>['cluster']> {
  const answer = await log;
  const bytes = 'value' in answer ? answer.value.bytes : 0;
  return sizeOnEmr({ newBytes: bytes, historyBytes: bytes }, region).cluster;
}

/** A topic that belongs to others shows only by a message whether it leads to anyone. */
async function testMessage(
  { topicArn, isExistingTopic }: Facts,
  { sns }: DoctorClients,
  { notify, pipeline }: CheckOptions,
): Promise<readonly Finding[]> {
  if (!notify || !isExistingTopic) return [];
  const name = `test message to ${topicArn}`;
  try {
    await publishTest(sns, topicArn, pipeline);
    return [ok(name, 'sent: see whether it has arrived')];
  } catch (error) {
    return [
      problem(
        name,
        errorText(withRemedy(error)),
        'have the owner of the topic allow it, and the use of its key (docs/deploy.md, "An existing topic")',
      ),
    ];
  }
}

function bucketOf(uri: string): string {
  return uri.replace('s3://', '').split('/')[0] ?? '';
}
