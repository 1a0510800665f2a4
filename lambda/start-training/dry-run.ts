/** What a run would do, found out by PlanRun itself over objects that are read and never written. */
import { compareKeys } from '../../domain/key-order.ts';
import { LEASE, PLAN } from '../../domain/lake-objects.ts';
import { FILES_NAMED, type LeftOut, listingWarnings, type PassedOver } from '../../domain/listing.ts';
import type { RunPlan, RunRequest } from '../../domain/run.ts';
import type { ListedObject, ObjectStore, ObjectText, WriteOptions, WriteOutcome } from '../ports/objects.ts';
import { linesOf, type Pages } from '../ports/pages.ts';
import type { Ports } from '../ports/ports.ts';
import type { Deployment } from '../run/deployment.ts';
import { PipelineError } from '../run/errors.ts';
import { type World, worldOf } from '../run/world.ts';
import { listLedger } from './batches.ts';
import { listEventFiles } from './event-files.ts';
import { withFileIndex } from './file-index/file-index.ts';
import { compareFiles } from './file-index/sorted-pages.ts';
import { listedSince } from './list-since.ts';
import { planRun } from './plan-run.ts';

/** What a run would do, or why it would be refused. */
export interface DryRun {
  readonly decision: 'run' | 'nothing to do' | 'refused';
  /** Why there is nothing to do, or why the run would be refused; null when it would run. */
  readonly reason: string | null;
  readonly new: LeftOut;
  readonly changed: LeftOut;
  readonly gone: LeftOut;
  readonly passedOver: readonly PassedOver[];
  /** Bytes of the files that would be read, as they are stored. */
  readonly bytes: number;
  /** 0 on this machine. */
  readonly estimatedUsd: number;
  readonly estimatedMinutes: number;
  /** What to know about what would be read, a sentence each. */
  readonly warnings: readonly string[];
}

/** Objects of another store; what is written is kept here, and the lease is never seen. */
export class DryRunObjects implements ObjectStore {
  readonly #store: ObjectStore;
  /** Undefined for an object that is not to be seen. */
  readonly #own = new Map<string, ObjectText | undefined>();

  /** @param lakeRoot the lake whose lease is left alone */
  constructor(store: ObjectStore, lakeRoot: string) {
    this.#store = store;
    this.#own.set(LEASE.uriIn(lakeRoot), undefined);
  }

  async read(uri: string): Promise<ObjectText | undefined> {
    return this.#own.has(uri) ? this.#own.get(uri) : this.#store.read(uri);
  }

  async write(uri: string, text: string, { condition }: WriteOptions): Promise<WriteOutcome> {
    const before = await this.read(uri);
    const isMet =
      condition === undefined ||
      (condition.kind === 'absent' ? before === undefined : before?.etag === condition.etag);
    if (!isMet) return 'conflict';
    this.#own.set(uri, { text, etag: `dry run: ${text}` });
    return 'written';
  }

  async *lines(uri: string): Pages<string> {
    if (!this.#own.has(uri)) yield* this.#store.lines(uri);
    else yield* linesOf(bytesOf(this.#own.get(uri)?.text ?? ''));
  }

  /** A dry run leaves every object as it is. */
  async tag(): Promise<void> {}

  list(location: string): Promise<readonly ListedObject[]> {
    return this.#store.list(location);
  }

  pages(location: string, after?: string): Pages<ListedObject> {
    return this.#store.pages(location, after);
  }

  async remove(uri: string): Promise<void> {
    this.#own.set(uri, undefined);
  }
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

const NONE: LeftOut = { count: 0, first: [] };
const RUN_ID = 'dry-run';

/**
 * Plans a run and forgets it: takes no lease and writes nothing.
 * @param ports whose objects are a DryRunObjects
 */
export async function dryRun(request: RunRequest, ports: Ports, deployment: Deployment): Promise<DryRun> {
  const world = worldOf(ports, deployment);
  const input = {
    runId: RUN_ID,
    executionArn: RUN_ID,
    startedAt: ports.clock.now().toISOString(),
    // Fields without a value are no fields.
    request: JSON.parse(JSON.stringify(request)),
  };
  try {
    const decided = await planRun(input, world);
    if ('planUri' in decided) {
      return described(await world.lake.read(PLAN.of(RUN_ID)), await statusesOf(request, world));
    }
    return stopped(decided.decision === 'refused' ? 'refused' : 'nothing to do', decided.reason);
  } catch (error) {
    if (error instanceof PipelineError) return stopped('refused', `${error.name}: ${error.message}`);
    throw error;
  }
}

function stopped(decision: 'nothing to do' | 'refused', reason: string): DryRun {
  return {
    decision,
    reason,
    new: NONE,
    changed: NONE,
    gone: NONE,
    passedOver: [],
    bytes: 0,
    estimatedUsd: 0,
    estimatedMinutes: 0,
    warnings: [],
  };
}

/** Files by their status, counted and the first of them named. */
type Statuses = Pick<DryRun, 'new' | 'changed' | 'gone'>;

function described({ batch, listing, cluster }: RunPlan, statuses: Statuses): DryRun {
  return {
    decision: 'run',
    reason: null,
    ...statuses,
    passedOver: listing?.passedOver ?? [],
    bytes: batch.files.reduce((sum, { bytes }) => sum + bytes, 0),
    estimatedUsd: cluster.estimatedUsd,
    estimatedMinutes: cluster.estimatedMinutes,
    warnings: listingWarnings(listing),
  };
}

/** Compares the listing with the ledger once more, for a plan does not say which of its files are new. */
function statusesOf(request: RunRequest, world: World): Promise<Statuses> {
  const { lake, deployment, clock } = world;
  const location = request.events ?? deployment.eventsRoot;
  const since = listedSince(request, deployment, clock.now());
  return listLedger(lake).then((ledger) =>
    withFileIndex(world, ledger, async (index) => {
      const found = emptyStatuses();
      for await (const page of compareFiles(listEventFiles(world, location, since), index.entries(''))) {
        for (const status of page) {
          if (status.kind === 'gone') {
            if (isGone(status.entry.uri, location, since)) found.gone.push(status.entry.uri);
          } else if (status.kind !== 'known') found[status.kind].push(status.file.uri);
        }
      }
      return { new: counted(found.new), changed: counted(found.changed), gone: counted(found.gone) };
    }),
  );
}

function emptyStatuses(): Record<keyof Statuses, string[]> {
  return { new: [], changed: [], gone: [] };
}

/** Whether an address would have been listed. */
function isGone(uri: string, location: string, since: string | undefined): boolean {
  const folder = location.replace(/\/+$/, '');
  const isBelow = uri === folder || uri.startsWith(`${folder}/`);
  return isBelow && (since === undefined || compareKeys(uri, since) > 0);
}

function counted(uris: readonly string[]): LeftOut {
  return { count: uris.length, first: uris.slice(0, FILES_NAMED) };
}
