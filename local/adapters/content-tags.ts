/**
 * Entity tags of files: a hash of their content, so that a file that is copied again keeps its tag, as in S3.
 * Because hashing gigabytes at every start would be slow, a hash is remembered as long as the file's size, modification
 * time and inode stay the same.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { z } from 'zod';

const HASH_DIGITS = 32;
const READ_BYTES = 1_048_576;

const memorySchema = z.record(z.string(), z.object({ seen: z.string(), tag: z.string() }));

/** A file as it was listed. */
export interface TaggedFile {
  readonly tag: string;
  readonly bytes: number;
  readonly modifiedAt: Date;
}

/** Entity tag of a text that is or will become a file's content. */
export function textTag(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, HASH_DIGITS);
}

export class ContentTags {
  readonly #memoryFile: string;
  readonly #remembers: boolean;
  #memory: z.infer<typeof memorySchema> | undefined;

  /**
   * @param memoryFile file in which hashes are remembered; it may be deleted at any time
   * @param remembers false to leave the file as it is
   */
  constructor(memoryFile: string, remembers = true) {
    this.#memoryFile = memoryFile;
    this.#remembers = remembers;
  }

  /** Tags of files, in the order of the paths; undefined for a file that no longer exists. */
  async of(paths: readonly string[]): Promise<readonly (TaggedFile | undefined)[]> {
    const memory = await this.#recall();
    const found: (TaggedFile | undefined)[] = [];
    let learned = false;
    for (const path of paths) {
      const before = await glance(path);
      if (before === undefined) {
        found.push(undefined);
        continue;
      }
      let tag = memory[path]?.seen === before.seen ? memory[path].tag : undefined;
      if (tag === undefined) {
        tag = await hashOf(path);
        // A file that changes while it is hashed is hashed again next time.
        if ((await glance(path))?.seen === before.seen) {
          memory[path] = { seen: before.seen, tag };
          learned = true;
        }
      }
      found.push({ tag, bytes: before.bytes, modifiedAt: before.modifiedAt });
    }
    if (learned && this.#remembers) await this.#remember(memory);
    return found;
  }

  async #recall(): Promise<z.infer<typeof memorySchema>> {
    if (this.#memory === undefined) {
      const text = await readFile(this.#memoryFile, 'utf8').catch(() => '{}');
      this.#memory = memorySchema.safeParse(parsed(text)).data ?? {};
    }
    return this.#memory;
  }

  async #remember(memory: z.infer<typeof memorySchema>): Promise<void> {
    const draft = `${this.#memoryFile}.${randomUUID()}`;
    await writeFile(draft, JSON.stringify(memory));
    await rename(draft, this.#memoryFile);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

async function glance(
  path: string,
): Promise<{ readonly seen: string; readonly bytes: number; readonly modifiedAt: Date } | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  if (found === undefined || !found.isFile()) return undefined;
  return {
    seen: `${found.size} ${found.mtimeNs} ${found.ino}`,
    bytes: Number(found.size),
    modifiedAt: new Date(Number(found.mtimeMs)),
  };
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES })) hash.update(chunk);
  return hash.digest('hex').slice(0, HASH_DIGITS);
}
