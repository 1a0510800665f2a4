/** Records of one kind, one JSON file each, through which other processes see a local run while it is in progress. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { isCode } from './file-lock.ts';

export class Registry<Schema extends z.ZodType> {
  readonly #folder: string;
  readonly #schema: Schema;

  constructor(folder: string, schema: Schema) {
    this.#folder = folder;
    this.#schema = schema;
  }

  async find(id: string): Promise<z.infer<Schema> | undefined> {
    try {
      return this.#schema.parse(JSON.parse(await readFile(this.#file(id), 'utf8')));
    } catch (error) {
      if (isCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  async all(): Promise<readonly z.infer<Schema>[]> {
    const names = await readdir(this.#folder).catch(() => []);
    const ids = names
      .filter((name) => /^[^.].*\.json$/.test(name))
      .map((name) => name.slice(0, -'.json'.length));
    const records = await Promise.all(ids.sort().map((id) => this.find(id)));
    return records.filter((record) => record !== undefined);
  }

  async put(id: string, record: z.infer<Schema>): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const draft = join(this.#folder, `.${id}.${randomUUID()}`);
    await writeFile(draft, `${JSON.stringify(record, undefined, 2)}\n`);
    await rename(draft, this.#file(id));
  }

  #file(id: string): string {
    return join(this.#folder, `${id}.json`);
  }
}
