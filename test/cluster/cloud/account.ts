/** What a deployment creates in the account and a run finds there: buckets, catalog, topic, assets; and EMR's roles. */
import { readFile } from 'node:fs/promises';
import { CreateRoleCommand, GetRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  PutBucketEncryptionCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { SERVICE_LINKED_ROLES } from '../../../domain/preflight.ts';
import { type AwsEnvironment, callJson, clientOptions } from './aws-request.ts';
import type { DeployedBucket, Deployment } from './deployment.ts';

/** Kinds of assets that a cluster reads. */
const CLUSTER_ASSETS = /\.(py|sh)$/;

export function s3Client(environment: AwsEnvironment): S3Client {
  return new S3Client({ ...clientOptions(environment), forcePathStyle: true });
}

/** @returns the ARNs of the service-linked roles by their names */
export async function createResources(
  environment: AwsEnvironment,
  deployment: Deployment,
): Promise<ReadonlyMap<string, string>> {
  const s3 = s3Client(environment);
  for (const bucket of deployment.buckets) await createBucket(s3, bucket);
  for (const request of [...deployment.glueDatabases]) {
    await callJson(environment, 'glue', 'CreateDatabase', request);
  }
  for (const request of deployment.glueTables) await callJson(environment, 'glue', 'CreateTable', request);
  const topic = new SNSClient(clientOptions(environment));
  await topic.send(new CreateTopicCommand({ Name: deployment.topicArn.split(':').at(-1) }));
  await uploadAssets(s3, deployment.definition.assets);
  return createServiceLinkedRoles(new IAMClient(clientOptions(environment)));
}

async function createBucket(s3: S3Client, { name: Bucket, keyArn }: DeployedBucket): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket }));
  if (keyArn === undefined) return;
  const ApplyServerSideEncryptionByDefault = { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: keyArn } as const;
  await s3.send(
    new PutBucketEncryptionCommand({
      Bucket,
      ServerSideEncryptionConfiguration: {
        Rules: [{ ApplyServerSideEncryptionByDefault, BucketKeyEnabled: true }],
      },
    }),
  );
}

async function uploadAssets(s3: S3Client, assets: ReadonlyMap<string, string>): Promise<void> {
  const buckets = new Set<string>();
  for (const [uri, file] of assets) {
    if (!CLUSTER_ASSETS.test(uri)) continue;
    const [, Bucket = '', Key = ''] = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri) ?? [];
    if (!buckets.has(Bucket)) await s3.send(new CreateBucketCommand({ Bucket }));
    buckets.add(Bucket);
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: await readFile(file) }));
  }
}

/** The emulator gives service-linked roles other names than AWS, so they are created by name. */
async function createServiceLinkedRoles(iam: IAMClient): Promise<ReadonlyMap<string, string>> {
  const arns = new Map<string, string>();
  for (const { name, service } of SERVICE_LINKED_ROLES) {
    const Statement = [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }];
    await iam.send(
      new CreateRoleCommand({
        RoleName: name,
        Path: `/aws-service-role/${service}/`,
        AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement }),
      }),
    );
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: name }));
    arns.set(name, Role?.Arn ?? '');
  }
  return arns;
}
