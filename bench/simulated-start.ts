/** One start of PlanRun over a simulated log, as a program: finds the new files and prints what that took. */
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { INDEX_SHARD, LEDGER } from '../domain/lake-objects.ts';
import { systemClock } from '../lambda/ports/clock.ts';
import type { ListedObject, ObjectStore } from '../lambda/ports/objects.ts';
import { Lake } from '../lambda/run/lake.ts';
import { listLedger } from '../lambda/start-training/batches.ts';
import { compareLog } from '../lambda/start-training/compare-log.ts';

export const SIMULATED_START = fileURLToPath(import.meta.url);
export const figureSchema = z.object({ peakBytes: z.number(), seconds: z.number(), found: z.number() });

const LAKE = 's3://lake';
const LOG = 's3://raw/events';
const PAGE = 1_000;
const BATCH_FILES = 50_000;
/** Files of the log that are not in the ledger. */
export const NEW_FILES = 60_000;
const KIBIBYTE = 1_024;

/** A log of a delivery stream: a file every few seconds, in folders by hour. */
function fileAt(index: number): ListedObject {
  const time = new Date(Date.UTC(2018, 0, 1) + index * 5_000).toISOString();
  const folder = time.slice(0, 13).replaceAll('-', '/').replace('T', '/');
  const name = `events-1-${time.slice(0, 19).replaceAll(':', '-')}-${index.toString(16).padStart(32, '0')}.json.gz`;
  return {
    uri: `${LOG}/${folder}/${name}`,
    etag: `"${index.toString(16).padStart(32, '0')}"`,
    bytes: 100_000,
    modifiedAt: new Date(0),
  };
}

/** Files from one number up to another, page by page. */
function* filesFrom(start: number, end: number): Generator<ListedObject[]> {
  for (let at = start; at < end; at += PAGE) {
    yield Array.from({ length: Math.min(PAGE, end - at) }, (_, index) => fileAt(at + index));
  }
}

/** A log and a ledger that are made up as they are read, and an index in a folder. */
class SimulatedStore implements ObjectStore {
  readonly #folder: string;
  readonly #files: number;

  constructor(folder: string, files: number) {
    this.#folder = folder;
    this.#files = files;
  }

  async read(uri: string) {
    const text = await readFile(this.#path(uri), 'utf8').catch(() => undefined);
    return text === undefined ? undefined : { text, etag: '' };
  }

  async write(uri: string, text: string) {
    await writeFile(this.#path(uri), text);
    return 'written' as const;
  }

  async remove(uri: string): Promise<void> {
    await rm(this.#path(uri));
  }

  async list(location: string): Promise<readonly ListedObject[]> {
    if (location === `${LAKE}/${LEDGER.folder}`) {
      return Array.from({ length: Math.ceil(this.#files / BATCH_FILES) }, (_, batch) => ({
        uri: LEDGER.of(String(batch).padStart(16, '0')).uriIn(LAKE),
        etag: `"${batch}"`,
        bytes: 0,
        modifiedAt: new Date(batch),
      }));
    }
    const names = await readdir(this.#folder);
    return Promise.all(
      names.map(async (name) => {
        const { mtime, size } = await stat(join(this.#folder, name));
        return { uri: `${LAKE}/${INDEX_SHARD.folder}/${name}`, etag: '', bytes: size, modifiedAt: mtime };
      }),
    );
  }

  async *lines(uri: string): AsyncGenerator<readonly string[]> {
    const batch = Number(LEDGER.idOf(uri));
    for (const page of filesFrom(batch * BATCH_FILES, Math.min((batch + 1) * BATCH_FILES, this.#files))) {
      yield page.map(({ uri: address, etag, bytes }) =>
        JSON.stringify({
          uri: address,
          etag,
          bytes,
          batch_id: String(batch),
          rows_read: 400,
          rows_accepted: 400,
        }),
      );
    }
  }

  async *pages(): AsyncGenerator<readonly ListedObject[]> {
    yield* filesFrom(0, this.#files + NEW_FILES);
  }

  async tag(): Promise<void> {}

  #path(uri: string): string {
    return join(this.#folder, uri.slice(uri.lastIndexOf('/') + 1));
  }
}

if (process.argv[1] === SIMULATED_START) {
  const [, , folder = '', files = ''] = process.argv;
  const store = new SimulatedStore(folder, Number(files));
  const started = performance.now();
  const world = {
    lake: new Lake(store, LAKE),
    eventLog: store,
    clock: systemClock,
    log: { warn: (message: string) => console.error(message) },
  };
  const { found } = await compareLog(world, await listLedger(world.lake), {
    location: LOG,
    since: undefined,
  });
  const figure: z.infer<typeof figureSchema> = {
    peakBytes: process.resourceUsage().maxRSS * KIBIBYTE,
    seconds: (performance.now() - started) / 1_000,
    found: found.files.length + found.left.count,
  };
  console.log(JSON.stringify(figure));
}
