/**
 * CDK's classes as the interfaces that its own functions take. CDK declares some optional members of its classes
 * as `T | undefined`, which exactOptionalPropertyTypes distinguishes from the interfaces' `T?`.
 */
import { type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2';
import { type IVersion, Version } from 'aws-cdk-lib/aws-lambda';
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import type { IConstruct } from 'constructs';

export function asBucket(bucket: IConstruct): IBucket {
  if (isBucket(bucket)) return bucket;
  throw new TypeError(`${bucket.node.path} is not a bucket`);
}

export function asVpc(vpc: IConstruct): IVpc {
  if (isVpc(vpc)) return vpc;
  throw new TypeError(`${vpc.node.path} is not a VPC`);
}

export function asVersion(version: IConstruct): IVersion {
  if (isVersion(version)) return version;
  throw new TypeError(`${version.node.path} is not a version of a Lambda function`);
}

function isBucket(construct: IConstruct): construct is IBucket {
  return construct instanceof Bucket;
}

function isVpc(construct: IConstruct): construct is IVpc {
  return construct instanceof Vpc;
}

function isVersion(construct: IConstruct): construct is IVersion {
  return construct instanceof Version;
}
