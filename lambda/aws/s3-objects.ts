/** The ObjectStore port over S3. */
import { posix } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  type PutObjectCommandInput,
  paginateListObjectsV2,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import {
  type ListedObject,
  type ObjectStore,
  type ObjectText,
  UnlistableError,
  type WriteCondition,
  type WriteOptions,
  type WriteOutcome,
} from '../ports/objects.ts';

const PRECONDITION_FAILED = 412;
/** Another conditional write of the same object is in progress: S3 asks for a retry. */
const CONFLICT = 409;
const NOT_FOUND = 404;
/** Names of the errors by which S3 says that a bucket is in another Region. */
const OTHER_REGION: readonly string[] = ['PermanentRedirect', 'AuthorizationHeaderMalformed'];
const CONFLICT_ATTEMPTS = 5;
const CONFLICT_WAIT_MILLISECONDS = 50;

export class S3Objects implements ObjectStore {
  readonly #client: S3Client;

  constructor(client: S3Client) {
    this.#client = client;
  }

  async read(uri: string): Promise<ObjectText | undefined> {
    try {
      const object = await this.#client.send(new GetObjectCommand(address(uri)));
      return { text: (await object.Body?.transformToString()) ?? '', etag: object.ETag ?? '' };
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  }

  async write(uri: string, text: string, { contentType, condition }: WriteOptions): Promise<WriteOutcome> {
    const input: PutObjectCommandInput = {
      ...address(uri),
      Body: text,
      ContentType: contentType,
      ...conditionHeaders(condition),
    };
    for (let attempt = 1; attempt <= CONFLICT_ATTEMPTS; attempt += 1) {
      try {
        await this.#client.send(new PutObjectCommand(input));
        return 'written';
      } catch (error) {
        const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
        const isGone = status === NOT_FOUND && condition?.kind === 'unchanged';
        if (status === PRECONDITION_FAILED || isGone) return 'conflict';
        if (status !== CONFLICT) throw error;
        await wait(attempt * CONFLICT_WAIT_MILLISECONDS);
      }
    }
    return 'conflict';
  }

  async list(location: string): Promise<readonly ListedObject[]> {
    try {
      return await this.#listed(location);
    } catch (error) {
      throw withRemedy(error, location);
    }
  }

  async #listed(location: string): Promise<readonly ListedObject[]> {
    const { Bucket, Key } = address(location);
    const wildcard = Key.search(/[*?[{]/);
    if (wildcard !== -1) {
      const objects = await this.#listPrefix(Bucket, Key.slice(0, wildcard));
      return objects.filter(({ uri }) => posix.matchesGlob(address(uri).Key, Key));
    }
    const key = Key.replace(/\/+$/, '');
    const below = await this.#listPrefix(Bucket, key === '' ? '' : `${key}/`);
    return key === '' ? below : [...(await this.#find(Bucket, key)), ...below];
  }

  async remove(uri: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand(address(uri)));
  }

  async #listPrefix(bucket: string, prefix: string): Promise<ListedObject[]> {
    const objects: ListedObject[] = [];
    const pages = paginateListObjectsV2({ client: this.#client }, { Bucket: bucket, Prefix: prefix });
    for await (const page of pages) {
      objects.push(...(page.Contents ?? []).map((object) => listedObject(bucket, object)));
    }
    return objects;
  }

  /** The object of exactly this key: it is the first of those whose keys begin with it. */
  async #find(bucket: string, key: string): Promise<ListedObject[]> {
    const page = await this.#client.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: key, MaxKeys: 1 }),
    );
    return (page.Contents ?? [])
      .filter((object) => object.Key === key)
      .map((object) => listedObject(bucket, object));
  }
}

/** What a retry does not fix becomes an UnlistableError; every other error is passed on as it is. */
function withRemedy(error: unknown, location: string): unknown {
  if (!(error instanceof S3ServiceException)) return error;
  if (error.name === 'NoSuchBucket') return new UnlistableError(location, 'no such bucket', error);
  if (error.name === 'AccessDenied') return new UnlistableError(location, 'access denied', error);
  if (OTHER_REGION.includes(error.name))
    return new UnlistableError(location, 'bucket in another Region', error);
  return error;
}

function conditionHeaders(condition: WriteCondition | undefined): Partial<PutObjectCommandInput> {
  if (condition === undefined) return {};
  return condition.kind === 'absent' ? { IfNoneMatch: '*' } : { IfMatch: condition.etag };
}

interface ListingEntry {
  readonly Key?: string | undefined;
  readonly ETag?: string | undefined;
  readonly Size?: number | undefined;
  readonly LastModified?: Date | undefined;
}

function listedObject(bucket: string, object: ListingEntry): ListedObject {
  return {
    uri: `s3://${bucket}/${object.Key ?? ''}`,
    etag: object.ETag ?? '',
    bytes: object.Size ?? 0,
    modifiedAt: object.LastModified ?? new Date(0),
  };
}

function address(uri: string): { readonly Bucket: string; readonly Key: string } {
  const parts = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(uri);
  if (parts === null) throw new Error(`${uri} is not a URI in S3: it must read s3://bucket/key`);
  return { Bucket: parts[1] ?? '', Key: parts[2] ?? '' };
}
