/** Objects by URI: `s3://bucket/key` or `file:///path`. */
import { UserError } from '../../domain/user-error.ts';
import type { Pages } from './pages.ts';

/** An object as a listing shows it. */
export interface ListedObject {
  readonly uri: string;
  readonly etag: string;
  readonly bytes: number;
  readonly modifiedAt: Date;
}

/** The text of an object, and the entity tag of that version. */
export interface ObjectText {
  readonly text: string;
  readonly etag: string;
}

/** A tag of an object. */
export interface ObjectTag {
  readonly key: string;
  readonly value: string;
}

/** When a write may happen. */
export type WriteCondition =
  | { readonly kind: 'absent' }
  | { readonly kind: 'unchanged'; readonly etag: string };

export interface WriteOptions {
  readonly contentType: string;
  /** Default: the object is written whatever is there. */
  readonly condition?: WriteCondition;
}

/** `conflict`: the condition does not hold, and nothing was written. */
export type WriteOutcome = 'written' | 'conflict';

/** A location that cannot be listed, however often it is tried. */
export class UnlistableError extends UserError {
  override readonly name = 'UnlistableError';
  readonly reason: 'no such bucket' | 'access denied' | 'bucket in another Region';

  /** @param cause the store's own error */
  constructor(location: string, reason: UnlistableError['reason'], cause: Error) {
    super(`${location} cannot be listed, ${reason}: ${cause.message}`, { cause });
    this.reason = reason;
  }
}

export interface ObjectStore {
  /** Undefined when there is no such object. */
  read(uri: string): Promise<ObjectText | undefined>;
  /** Writes the whole object or nothing. */
  write(uri: string, text: string, options: WriteOptions): Promise<WriteOutcome>;
  /** The lines of an object, page by page, without holding the whole of it; none if there is no such object. */
  lines(uri: string): Pages<string>;
  /**
   * Every object below a folder, or the file itself, or what a glob matches; in the order of their URIs.
   * For folders known to hold few; `pages` lists any.
   * @throws UnlistableError
   */
  list(location: string): Promise<readonly ListedObject[]>;
  /**
   * The same objects page by page, in the order of their keys (`compareKeys`).
   * @param after only objects whose URIs come after this one
   * @throws UnlistableError while it is iterated over
   */
  pages(location: string, after?: string): Pages<ListedObject>;
  /** Gives the object a tag, by which a lifecycle rule finds it; it is no error if it is not there. */
  tag(uri: string, tag: ObjectTag): Promise<void>;
  /** Removes the object; it is no error if it is not there. */
  remove(uri: string): Promise<void>;
}
