/** Which permissions a call to S3 needs; S3's operations are told apart by method, path and query. */
import type { AwsCall } from './call.ts';
import type { Need } from './policy.ts';

const NOT_FOUND = 404;

/** @param keyOfBucket ARN of the key with which a bucket encrypts what names no other key */
export function s3Needs(call: AwsCall, keyOfBucket: (bucket: string) => string | undefined): readonly Need[] {
  const { bucket, key } = objectOf(call.path);
  const bucketArn = `arn:aws:s3:::${bucket}`;
  const objectArn = `${bucketArn}/${key}`;
  const on = (action: string, resource: string): Need => ({ action, resource, context: {} });
  const encryption = call.headers['x-amz-server-side-encryption-aws-kms-key-id'] ?? keyOfBucket(bucket);
  const withKey = (actions: readonly string[]): readonly Need[] =>
    encryption === undefined ? [] : actions.map((action) => on(action, encryption));
  if (key === '') return bucketNeeds(call, bucketArn);
  const has = (name: string): boolean => name in call.query;
  if (has('tagging')) {
    if (call.method !== 'PUT')
      throw new Error(`the judge does not know ${call.method} of an object's tags in S3`);
    return [on('s3:PutObjectTagging', objectArn)];
  }
  switch (call.method) {
    case 'GET':
    case 'HEAD': {
      if (has('uploadId')) return [on('s3:ListMultipartUploadParts', objectArn)];
      // S3 says "forbidden" instead of "not found" to a caller who may not list the bucket.
      if (call.status === NOT_FOUND) return [on('s3:GetObject', objectArn), on('s3:ListBucket', bucketArn)];
      return [on('s3:GetObject', objectArn), ...(call.method === 'GET' ? withKey(['kms:Decrypt']) : [])];
    }
    case 'PUT': {
      const source = call.headers['x-amz-copy-source'];
      return [
        on('s3:PutObject', objectArn),
        ...withKey(['kms:GenerateDataKey']),
        ...(has('uploadId') || source !== undefined ? withKey(['kms:Decrypt']) : []),
        ...(source === undefined ? [] : [on('s3:GetObject', `arn:aws:s3:::${copied(source)}`)]),
      ];
    }
    case 'POST':
      // Beginning an upload in parts, and completing it.
      return [on('s3:PutObject', objectArn), ...withKey(['kms:GenerateDataKey', 'kms:Decrypt'])];
    case 'DELETE':
      return [on(has('uploadId') ? 's3:AbortMultipartUpload' : 's3:DeleteObject', objectArn)];
    default:
      throw new Error(`the judge does not know ${call.method} of an object in S3`);
  }
}

/** Bucket and key of a path-style address. */
export function objectOf(path: string): { readonly bucket: string; readonly key: string } {
  const [, bucket = '', key = ''] = /^\/([^/]+)\/?(.*)$/s.exec(decodeURIComponent(path)) ?? [];
  return { bucket, key };
}

/** Parts of a bucket's configuration, which nothing here has a reason to ask for. */
const CONFIGURATION = [
  'acl',
  'policy',
  'versioning',
  'versions',
  'encryption',
  'tagging',
  'cors',
  'lifecycle',
];

function bucketNeeds(call: AwsCall, bucketArn: string): readonly Need[] {
  const { method, query } = call;
  const on = (action: string): readonly Need[] => [
    {
      action,
      resource: bucketArn,
      context: query.prefix === undefined ? {} : { 's3:prefix': [query.prefix] },
    },
  ];
  if (method === 'HEAD') return on('s3:ListBucket');
  if (method === 'GET' && 'location' in query) return on('s3:GetBucketLocation');
  if (method === 'GET' && 'uploads' in query) return on('s3:ListBucketMultipartUploads');
  if (method === 'GET' && !CONFIGURATION.some((name) => name in query)) return on('s3:ListBucket');
  if (method === 'POST' && 'delete' in query) return deletedObjects(call.body, bucketArn);
  throw new Error(`the judge does not know ${method} of a bucket in S3 with ${Object.keys(query)}`);
}

/** A batch has no permission of its own: each key needs one. */
function deletedObjects(body: string, bucketArn: string): readonly Need[] {
  return [...body.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => ({
    action: 's3:DeleteObject',
    resource: `${bucketArn}/${unescaped(key)}`,
    context: {},
  }));
}

function unescaped(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}

function copied(source: string): string {
  return decodeURIComponent(source)
    .replace(/^\//, '')
    .replace(/\?versionId=.*$/, '');
}
