/** Every wildcard where cdk-nag does not look, with its reason: checks.test.ts has the others. */
import { Template } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { REVIEWED_WILDCARDS } from '../../../lib/review/reviewed-wildcards.ts';
import { synthesize } from '../../support/synthesize.ts';
import { policyDocuments, wildcards } from '../policies.ts';

const DELETED_WITH_DATA = { 'churn:deleteData': 'true', 'churn:confirmDeleteData': 'churn-dev' };

function found(overrides: Record<string, string> = {}): { resource: string; value: string }[] {
  return Object.entries(synthesize(overrides).stacks).flatMap(([stack, construct]) =>
    policyDocuments(Template.fromStack(construct)).flatMap((document) =>
      wildcards(document).map((value) => ({ resource: `${stack}/${document.resource}`, value })),
    ),
  );
}

const all = [...found(), ...found(DELETED_WITH_DATA), ...found({ 'churn:notebook': 'true' })];

function reviewOf({ resource, value }: { resource: string; value: string }) {
  return REVIEWED_WILDCARDS.find(
    (reviewed) => reviewed.resource.test(resource) && reviewed.value.test(value),
  );
}

test('no wildcard is left without a reason', () => {
  expect(all.filter((wildcard) => reviewOf(wildcard) === undefined)).toEqual([]);
});

test('no reason for a wildcard is stale', () => {
  const used = new Set(all.map(reviewOf));
  expect(REVIEWED_WILDCARDS.filter((reviewed) => !used.has(reviewed))).toEqual([]);
});

test('the wildcards that are left unless data is deleted with its stack', () => {
  const byReason = new Map<string, Set<string>>();
  for (const wildcard of found()) {
    const { reason = 'no reason' } = reviewOf(wildcard) ?? {};
    byReason.set(reason, (byReason.get(reason) ?? new Set()).add(`${wildcard.resource}: ${wildcard.value}`));
  }
  const listing = [...byReason].map(([reason, uses]) =>
    [reason, ...[...uses].sort().map((use) => `  ${use}`)].join('\n'),
  );
  expect(listing.sort().join('\n')).toMatchInlineSnapshot(`
    "A suffix follows the service's name in China
      compute/ServiceRoleDefaultPolicy: Condition iam:PassedToService ec2.amazonaws.com*
      pipeline/StateMachineExecutionPolicy: Condition iam:PassedToService ec2.amazonaws.com*
      pipeline/StateMachineExecutionPolicy: Condition iam:PassedToService elasticmapreduce.amazonaws.com*
    An endpoint asks for nobody in particular; roles and buckets decide who may do what
      network/VpcS3: Principal *
    Buckets of this account for its own principals, by condition; the role of the instances names them
      network/VpcS3: Resource *
    EMR names the logs and histories that it keeps of a cluster
      network/VpcS3: Resource arn:<Partition>:s3:::<aws157-logs-prod or aws157-logs-prod-<Region>>/*
      network/VpcS3: Resource arn:<Partition>:s3:::prod.<Region>.appinfo.src/*
    In a key's policy it means this key; its ARN is not known before it is made
      storage/Key: Resource *
    Packages that Amazon Linux and EMR install themselves from
      network/VpcS3: Resource arn:<Partition>:s3:::al2023-repos-<Region>-de612dc2/*
      network/VpcS3: Resource arn:<Partition>:s3:::repo.<Region>.emr.amazonaws.com/*
    S3 names the access logs that it delivers, below one prefix for each bucket
      storage/AccessLogsPolicy: Resource <AccessLogs Arn>/ClusterLogs/*
      storage/AccessLogsPolicy: Resource <AccessLogs Arn>/Lake/*
      storage/AccessLogsPolicy: Resource <AccessLogs Arn>/QueryResults/*
      storage/AccessLogsPolicy: Resource <AccessLogs Arn>/RawEvents/*
    The account itself: without it nobody could change the policy, nor roles have statements of their own
      storage/Key: Action kms:*
    The one role that launches spot instances, by condition: a principal that does not exist yet is refused, and naming the account would not suffice
      storage/Key: Principal *
    The role is taken on before the cluster has an id
      compute/ServiceRole: Condition aws:SourceArn arn:<Partition>:elasticmapreduce:<Region>:<AccountId>:*"
  `);
});
