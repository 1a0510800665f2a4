/** The lake as the code uses it: objects by their definitions, checked as they are read. */
import type { FolderKind, LakeObject, ObjectKind } from '../../domain/lake-object.ts';
import { UserError } from '../../domain/user-error.ts';
import type { ObjectStore, ObjectTag, WriteCondition, WriteOutcome } from '../ports/objects.ts';
import { PipelineError } from './errors.ts';

/** A value that was read, and the entity tag of that version. */
export interface Stored<Value> {
  readonly value: Value;
  readonly etag: string;
}

/** An object that a listing found in its folder. */
export interface Listed<Value> {
  readonly id: string;
  readonly object: LakeObject<Value>;
  readonly etag: string;
  readonly modifiedAt: Date;
}

const REMOVED_TOGETHER = 20;

export class Lake {
  /** `s3://bucket` or `file:///folder`, without a slash at the end. */
  readonly root: string;
  readonly #objects: ObjectStore;

  constructor(objects: ObjectStore, root: string) {
    this.#objects = objects;
    this.root = root;
  }

  uri(object: LakeObject<unknown>): string {
    return object.uriIn(this.root);
  }

  /** Whether the object is there, whatever is in it. */
  async has(object: LakeObject<unknown>): Promise<boolean> {
    return (await this.#objects.read(this.uri(object))) !== undefined;
  }

  /**
   * Reads an object that may be absent.
   * @throws InvalidResult when it is malformed
   */
  async find<Value>(object: LakeObject<Value>): Promise<Stored<Value> | undefined> {
    const stored = await this.#objects.read(this.uri(object));
    if (stored === undefined) return undefined;
    return { value: this.#checked(object, stored.text), etag: stored.etag };
  }

  /**
   * The rows of an object of JSON lines, page by page, without holding all of them; none if it is absent.
   * @throws InvalidResult when a line is malformed
   */
  async *rows<Row>(object: LakeObject<readonly Row[]>): AsyncGenerator<readonly Row[]> {
    for await (const lines of this.#objects.lines(this.uri(object))) {
      yield this.#checked(object, lines.join('\n'));
    }
  }

  /**
   * Reads an object that must be there.
   * @throws InvalidResult when it is absent or malformed
   */
  async read<Value>(object: LakeObject<Value>): Promise<Value> {
    const stored = await this.find(object);
    if (stored !== undefined) return stored.value;
    throw new PipelineError(
      'InvalidResult',
      `There is no ${object.what} at ${this.uri(object)}. ${object.remedy.missing}`,
    );
  }

  /** Reads an object if it is there and well formed: for explanations, which must not fail because of it. */
  async glimpse<Value>(object: LakeObject<Value>): Promise<Value | undefined> {
    const stored = await this.#objects.read(this.uri(object));
    const reading = stored === undefined ? undefined : object.format.read(stored.text);
    return reading?.isValid === true ? reading.value : undefined;
  }

  /** Writes an object whatever is there. */
  async write<Value>(object: LakeObject<Value>, value: Value): Promise<void> {
    await this.#put(object, value);
  }

  /** Writes an object only if there is none. */
  async create<Value>(object: LakeObject<Value>, value: Value): Promise<WriteOutcome> {
    return this.#put(object, value, { kind: 'absent' });
  }

  /** Writes an object only if it is still as it was found: that version, or absent. */
  async replace<Value>(
    object: LakeObject<Value>,
    found: Pick<Stored<Value>, 'etag'> | undefined,
    value: Value,
  ): Promise<WriteOutcome> {
    if (found === undefined) return this.create(object, value);
    return this.#put(object, value, { kind: 'unchanged', etag: found.etag });
  }

  /** Removes an object; it is no error if it is not there. */
  async remove(object: LakeObject<unknown>): Promise<void> {
    await this.#objects.remove(this.uri(object));
  }

  /** Gives the object a tag; it is no error if it is not there. */
  async tag(object: LakeObject<unknown>, tag: ObjectTag): Promise<void> {
    await this.#objects.tag(this.uri(object), tag);
  }

  /** When the object was last written; undefined when it is not there. */
  async modifiedAt(object: LakeObject<unknown>): Promise<Date | undefined> {
    const [listed] = await this.#objects.list(this.uri(object));
    return listed?.modifiedAt;
  }

  /** Every object of a kind, in the order of their ids. */
  async list<Value>(kind: FolderKind<Value>): Promise<readonly Listed<Value>[]> {
    const objects = await this.#objects.list(`${this.root}/${kind.folder}`);
    return objects.flatMap(({ uri, etag, modifiedAt }) => {
      const id = kind.idOf(uri);
      return id === undefined ? [] : [{ id, object: kind.at(uri), etag, modifiedAt }];
    });
  }

  /** Everything below a folder, whatever it is: keys below the root, in their order. @param folder with its slash */
  async below(folder: string): Promise<readonly { readonly key: string; readonly modifiedAt: Date }[]> {
    const listed = await this.#objects.list(`${this.root}/${folder}`);
    return listed.map(({ uri, modifiedAt }) => ({ key: uri.slice(this.root.length + 1), modifiedAt }));
  }

  /** Removes everything below a folder; it is no error if nothing is there. @param folder with its slash */
  async removeBelow(folder: string): Promise<void> {
    const listed = await this.#objects.list(`${this.root}/${folder}`);
    for (let start = 0; start < listed.length; start += REMOVED_TOGETHER) {
      const together = listed.slice(start, start + REMOVED_TOGETHER);
      await Promise.all(together.map(({ uri }) => this.#objects.remove(uri)));
    }
  }

  /** The texts of all objects of a kind, whatever is in them, in the order of their URIs. */
  async texts(
    kind: ObjectKind<unknown>,
  ): Promise<readonly { readonly uri: string; readonly text: string }[]> {
    const listed = await this.#objects.list(`${this.root}/${kind.of('*').key}`);
    const texts = [];
    for (const { uri } of listed) {
      const stored = await this.#objects.read(uri);
      if (stored !== undefined) texts.push({ uri, text: stored.text });
    }
    return texts;
  }

  /**
   * Replaces the text of an object of a kind, or removes the object where there is no other text.
   * @throws UserError when another process has changed it in the meantime
   */
  async rewrite(
    uri: string,
    { format: { contentType } }: ObjectKind<unknown>,
    change: (text: string) => string | undefined,
  ): Promise<void> {
    const stored = await this.#objects.read(uri);
    if (stored === undefined) return;
    const text = change(stored.text);
    if (text === undefined) return this.#objects.remove(uri);
    const condition: WriteCondition = { kind: 'unchanged', etag: stored.etag };
    const outcome = await this.#objects.write(uri, text, { contentType, condition });
    if (outcome === 'conflict') {
      throw new UserError(`${uri} was changed by another process in the meantime: run the command again.`);
    }
  }

  #checked<Value>(object: LakeObject<Value>, text: string): Value {
    const reading = object.format.read(text);
    if (reading.isValid) return reading.value;
    throw new PipelineError(
      'InvalidResult',
      `The ${object.what} at ${this.uri(object)} ${reading.problem}\n${object.remedy.malformed}`,
    );
  }

  async #put<Value>(
    object: LakeObject<Value>,
    value: Value,
    condition?: WriteCondition,
  ): Promise<WriteOutcome> {
    const { format } = object;
    return this.#objects.write(this.uri(object), format.write(value), {
      contentType: format.contentType,
      ...(condition === undefined ? {} : { condition }),
    });
  }
}
