/** Adapter of the ObjectStore port for folders on this machine. */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { glob } from 'tinyglobby';
import { fileKind } from '../../domain/event-files.ts';
import { compareKeys } from '../../domain/key-order.ts';
import type {
  ListedObject,
  ObjectStore,
  ObjectText,
  WriteCondition,
  WriteOptions,
  WriteOutcome,
} from '../../lambda/ports/objects.ts';
import { linesOf } from '../../lambda/ports/pages.ts';
import { type ContentTags, textTag } from './content-tags.ts';
import { isCode, linked, withFileLock } from './file-lock.ts';
import { filePath, fileUri } from './file-uris.ts';

/**
 * Objects are files; a write is a rename, so a reader never sees an incomplete object. Names that begin with "." are
 * drafts, locks or files of other programs: `list` leaves them out, and `pages` shows them, for in a log each file counts.
 */
export class FolderStore implements ObjectStore {
  readonly #tags: ContentTags;
  readonly #ownFolder: string | undefined;

  /** @param ownFolder the lake that this store serves */
  constructor(tags: ContentTags, ownFolder?: string) {
    this.#tags = tags;
    this.#ownFolder = ownFolder;
  }

  async read(uri: string): Promise<ObjectText | undefined> {
    try {
      const text = await readFile(filePath(uri), 'utf8');
      return { text, etag: textTag(text) };
    } catch (error) {
      if (isCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  async write(
    uri: string,
    text: string,
    options: Pick<WriteOptions, 'condition'> = {},
  ): Promise<WriteOutcome> {
    const path = filePath(uri);
    const draft = join(dirname(path), `.${basename(path)}.${randomUUID()}`);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(draft, text);
    try {
      return await withFileLock(path, () => this.#publish(draft, path, options.condition));
    } finally {
      await rm(draft, { force: true });
    }
  }

  /** Called under the lock, so that the object that was compared is the one that is replaced. */
  async #publish(draft: string, path: string, condition: WriteCondition | undefined): Promise<WriteOutcome> {
    if (condition?.kind === 'absent') return (await linked(draft, path)) ? 'written' : 'conflict';
    if (condition?.kind === 'unchanged') {
      const before = await this.read(fileUri(path));
      if (before?.etag !== condition.etag) return 'conflict';
    }
    await rename(draft, path);
    return 'written';
  }

  async *lines(uri: string): AsyncGenerator<readonly string[]> {
    try {
      yield* linesOf(createReadStream(filePath(uri)));
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error;
    }
  }

  /**
   * One page: a folder is listed at once, and its order is known only then. Nothing below this store's own lake is part of a
   * log outside it. What no run reads has no tag: hashing it would take long.
   */
  async *pages(location: string, after?: string): AsyncGenerator<readonly ListedObject[]> {
    const place = filePath(location);
    const all = (await pathsAt(place, true)).filter((path) => !this.#isOwn(path, place));
    const isRead = (path: string): boolean =>
      path === place ||
      fileKind(path.startsWith(`${place}/`) ? path.slice(place.length + 1) : basename(path), 1).kind !==
        'passed over';
    const tagged = await this.#listed(all.filter(isRead));
    const others = await Promise.all(all.filter((path) => !isRead(path)).map(untagged));
    const listed = [...tagged, ...others.flat()].sort((a, b) => compareKeys(a.uri, b.uri));
    yield after === undefined ? listed : listed.filter(({ uri }) => compareKeys(uri, after) > 0);
  }

  #isOwn(path: string, place: string): boolean {
    const own = `${this.#ownFolder}/`;
    return this.#ownFolder !== undefined && path.startsWith(own) && !`${place}/`.startsWith(own);
  }

  async list(location: string): Promise<readonly ListedObject[]> {
    return this.#listed(await pathsAt(filePath(location), false));
  }

  async #listed(paths: readonly string[]): Promise<readonly ListedObject[]> {
    const files = await this.#tags.of(paths);
    return files.flatMap((file, index) => {
      const path = paths[index];
      if (file === undefined || path === undefined) return [];
      return [{ uri: fileUri(path), etag: file.tag, bytes: file.bytes, modifiedAt: file.modifiedAt }];
    });
  }

  /** Files have no tags: what expires is found by its age. */
  async tag(): Promise<void> {}

  async remove(uri: string): Promise<void> {
    const path = filePath(uri);
    const folder = await stat(dirname(path)).catch(() => undefined);
    if (folder !== undefined) await withFileLock(path, () => rm(path, { force: true }));
  }
}

/** Files below a folder, the file itself, or what a glob matches, sorted. The name of an existing file or folder is never read as a glob. */
async function pathsAt(location: string, dot: boolean): Promise<readonly string[]> {
  const found = await stat(location).catch(() => undefined);
  if (found?.isFile() === true) return [location];
  const paths =
    found === undefined
      ? await glob(location, { absolute: true, dot })
      : await glob('**', { cwd: location, absolute: true, dot });
  return paths.sort(compareKeys);
}

/** A file that is listed by its name alone. */
async function untagged(path: string): Promise<readonly ListedObject[]> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return [];
  return [{ uri: fileUri(path), etag: '', bytes: found.size, modifiedAt: found.mtime }];
}
