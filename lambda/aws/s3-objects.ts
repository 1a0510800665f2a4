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
  PutObjectTaggingCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { compareKeys } from '../../domain/key-order.ts';
import {
  type ListedObject,
  type ObjectStore,
  type ObjectTag,
  type ObjectText,
  UnlistableError,
  type WriteCondition,
  type WriteOptions,
  type WriteOutcome,
} from '../ports/objects.ts';
import { allOf, linesOf } from '../ports/pages.ts';
import { listedObject, listInOrder } from './s3-listing.ts';

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

  async *lines(uri: string): AsyncGenerator<readonly string[]> {
    const object = await this.#body(uri);
    if (object !== undefined) yield* linesOf(object);
  }

  list(location: string): Promise<readonly ListedObject[]> {
    return allOf(this.pages(location));
  }

  async *pages(location: string, after?: string): AsyncGenerator<readonly ListedObject[]> {
    try {
      yield* this.#pages(location, after);
    } catch (error) {
      throw withRemedy(error, location);
    }
  }

  async *#pages(location: string, after: string | undefined): AsyncGenerator<readonly ListedObject[]> {
    const { Bucket: bucket, Key } = address(location);
    const start = after === undefined ? {} : { after: address(after).Key };
    const wildcard = Key.search(/[*?[{]/);
    if (wildcard !== -1) {
      for await (const page of listInOrder(this.#client, {
        bucket,
        prefix: Key.slice(0, wildcard),
        ...start,
      })) {
        yield page.filter(({ uri }) => posix.matchesGlob(address(uri).Key, Key));
      }
      return;
    }
    const key = Key.replace(/\/+$/, '');
    if (key !== '' && (start.after === undefined || compareKeys(key, start.after) > 0)) {
      yield await this.#find(bucket, key);
    }
    yield* listInOrder(this.#client, { bucket, prefix: key === '' ? '' : `${key}/`, ...start });
  }

  async tag(uri: string, { key, value }: ObjectTag): Promise<void> {
    const Tagging = { TagSet: [{ Key: key, Value: value }] };
    try {
      await this.#client.send(new PutObjectTaggingCommand({ ...address(uri), Tagging }));
    } catch (error) {
      if (!(error instanceof S3ServiceException && error.name === 'NoSuchKey')) throw error;
    }
  }

  async remove(uri: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand(address(uri)));
  }

  async #body(uri: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    try {
      const object = await this.#client.send(new GetObjectCommand(address(uri)));
      return object.Body?.transformToWebStream();
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
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

function address(uri: string): { readonly Bucket: string; readonly Key: string } {
  const parts = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(uri);
  if (parts === null) throw new Error(`${uri} is not a URI in S3: it must read s3://bucket/key`);
  return { Bucket: parts[1] ?? '', Key: parts[2] ?? '' };
}
