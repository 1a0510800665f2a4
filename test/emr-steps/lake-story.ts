/** A story of a lake: files are delivered, corrected, renamed and removed, and runs are killed; with what it must come to. */
import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CHURN_EVENT } from '../../domain/events.ts';
import { EVENTS, LOCAL_DATABASE, PAGE_DAYS, QUARANTINED_EVENTS, USER_DAYS } from '../../domain/lake.ts';
import { CURRENT, DRAFT, PENDING_BATCH, PLAN } from '../../domain/lake-objects.ts';
import type { EventFile, RunPlan, RunSettings } from '../../domain/run.ts';
import { ingestEvents } from '../../emr-steps/ingest-events.ts';
import type { Ports } from '../../lambda/ports/ports.ts';
import { worldOf } from '../../lambda/run/world.ts';
import { planRun } from '../../lambda/start-training/plan-run.ts';
import { ContentTags } from '../../local/adapters/content-tags.ts';
import { fileUri } from '../../local/adapters/file-uris.ts';
import { FolderStore } from '../../local/adapters/folder-store.ts';
import { MemoryPorts } from '../support/memory-ports.ts';
import { DEPLOYMENT } from '../support/run-fixture.ts';
import { queryLake, resultOf, writePlan } from '../support/spark-lake.ts';
import type { ServedStep, StepReply, StepServer } from '../support/step-server.ts';

type Random = (bound: number) => number;
type Lines = readonly string[];
type Rows = Awaited<ReturnType<typeof queryLake>>;

/** What is compared of a lake. */
export interface LakeRows {
  readonly events: Rows;
  readonly userDays: Rows;
  readonly pageDays: Rows;
  readonly refused: Rows;
  readonly files: Rows;
}

const DAYS = 3;
const USERS = 3;
const LINES = 7;
const PUBLISHED = /^CALL lake\.system\.fast_forward\('lake\.churn\.events'/;
/** Commits of an ingest, at most: a later death is none. */
const MOST_COMMITS = 18;

/** What may happen in a story besides deliveries and deaths. */
export interface StoryOptions {
  /** Days of the log, its users, and the lines that a file has at most. */
  readonly days?: number;
  readonly users?: number;
  readonly lines?: number;
  /** One event in so many is a cancellation. */
  readonly cancellations?: number;
  readonly settings?: Partial<RunSettings>;
  /** What else is done for a plan once its batch is ingested. */
  readonly afterIngest?: (plan: RunPlan) => Promise<void>;
}

/** A row of few users, days and events, so that files hold copies of each other's, equal ones and others. */
function randomLine(random: Random, isOddlyWritten: boolean, options: StoryOptions): string {
  const { days = DAYS, users = USERS, cancellations } = options;
  const item = random(4);
  const cancels = cancellations !== undefined && random(cancellations) === 0;
  const row = {
    ts: Date.parse('2018-10-05T10:00:00Z') + random(days) * 86_400_000 + item * 60_000,
    userId: `u${random(users)}`,
    sessionId: 1,
    itemInSession: item,
    page: random(12) === 0 ? 'Nowhere' : 'NextSong',
    auth: 'Logged In',
    level: ['free', 'paid'][random(2)],
    ...(random(2) === 0 ? {} : { artist: `artist ${random(2)}`, length: 100.5 + random(2) }),
    ...(cancels ? { page: CHURN_EVENT.page, auth: 'Cancelled' } : {}),
  };
  const line = JSON.stringify(row);
  // As other programs write it: its file is read a second time.
  return isOddlyWritten ? line.replace('"sessionId":1', '"sessionId":1.0') : line;
}

/** One line in so many is written as other programs write it. */
const ODD_LINES = 12;

export class LakeStory {
  readonly #random: Random;
  readonly #folder: string;
  readonly #server: StepServer;
  readonly #options: StoryOptions;
  readonly #memory = new MemoryPorts();
  /** The log as it is now; `delivery` changes the tag of a file whose content stays. */
  readonly #log = new Map<string, { readonly lines: Lines; readonly delivery: number }>();
  /** All versions that a name has ever had. */
  readonly #versions = new Map<string, Lines[]>();
  /** What the lake must hold. */
  readonly #held = new Map<string, Lines>();
  /** Content of the files of each batch, and the batches that were published. */
  readonly #batches = new Map<string, ReadonlyMap<string, Lines>>();
  readonly #published = new Set<string>();
  /** What happened, for the message of a test that fails. */
  readonly steps: string[] = [];
  #runs = 0;
  #names = 0;

  constructor(folder: string, server: StepServer, random: Random, options: StoryOptions = {}) {
    this.#folder = folder;
    this.#server = server;
    this.#random = random;
    this.#options = options;
  }

  /** Files are delivered and corrected, and another release ingests them. What it leaves is put right by the next run. */
  async beginWith(release: ServedStep, runs: number): Promise<void> {
    for (let run = 0; run < runs; run += 1) {
      for (const name of this.#log.keys())
        if (this.#random(2) === 0) this.#put(name, this.#randomLines(false));
      for (let file = 0; file < 3; file += 1) this.#put(this.#newName(), this.#randomLines(false));
      await this.#run(undefined, release);
    }
    await this.#run(undefined);
  }

  /** Some changes of the log, and a run that may be killed and tried again; so many times. */
  async happen(chapters: number): Promise<void> {
    for (let chapter = 0; chapter < chapters; chapter += 1) {
      for (let change = 0; change < 1 + this.#random(3); change += 1) this.#change();
      await this.#run(this.#random(3) === 0 ? undefined : 1 + this.#random(MOST_COMMITS));
    }
    // At last, runs that nothing disturbs.
    for (let run = 0; run < 3; run += 1) if (!(await this.#run(undefined))) return;
    throw new Error('there is always something to do');
  }

  #change(): void {
    const listed = [...this.#log.keys()];
    const name = this.#anyOf(listed);
    const file = name === undefined ? undefined : this.#log.get(name);
    const kind = this.#random(8);
    if (name === undefined || file === undefined || kind === 0) {
      const gone = [...this.#versions.keys()].filter((known) => !this.#log.has(known));
      const isOld = gone.length > 0 && this.#random(2) === 0;
      this.#put(isOld ? (this.#anyOf(gone) ?? '') : this.#newName(), this.#randomLines(true));
    } else if (kind === 1) {
      this.#tell(`redeliver ${name}`);
      this.#log.set(name, { ...file, delivery: file.delivery + 1 });
    } else if (kind === 2) {
      this.#put(name, [...file.lines.slice(1), this.#randomLine(this.#random(ODD_LINES) === 0)]);
    } else if (kind === 3) {
      this.#put(name, this.#anyOf(this.#versions.get(name) ?? []) ?? file.lines);
    } else if (kind === 4) {
      this.#remove(name);
      this.#put(this.#newName(), file.lines);
    } else if (kind === 5) {
      this.#remove(name);
      const half = Math.ceil(file.lines.length / 2);
      for (const lines of [file.lines.slice(0, half), file.lines.slice(half)])
        this.#put(this.#newName(), lines);
    } else {
      this.#remove(name);
    }
  }

  /** Plans a run and ingests; whether there was anything to do. */
  async #run(dieAfter: number | undefined, release: ServedStep = ingestEvents): Promise<boolean> {
    this.#runs += 1;
    const runId = `run-${this.#runs}`;
    const gone = [...this.#held.keys()].filter((name) => !this.#log.has(name));
    const takenOut = gone.filter(() => this.#random(4) === 0);
    const request = takenOut.length === 0 ? {} : { takeOut: takenOut.map((name) => this.#uri(name)) };
    await this.#writeLog();
    if (this.#log.size === 0) return false;
    const executionArn = this.#memory.executions.set(runId, 'RUNNING');
    const world = worldOf(this.#ports(), this.#deployment());
    const decision = await planRun(
      { runId, executionArn, startedAt: '', request: { maxQuarantineShare: 1, ...request } },
      world,
    );
    this.#tell(`${runId}: ${decision.decision}${takenOut.length > 0 ? `, takes out ${takenOut}` : ''}`);
    if (decision.decision !== 'run') return false;
    const plan = await world.lake.read(PLAN.of(runId));
    const content = new Map(plan.batch.files.map(({ uri }) => [this.#name(uri), this.#linesOf(uri)]));
    if (!this.#batches.has(plan.batch.batchId)) this.#batches.set(plan.batch.batchId, content);
    let reply = await this.#ingest(plan, dieAfter, release);
    // As EMR does: another attempt at the same plan. Otherwise the next run finds what was left.
    while (reply.outcome === 'dead' && this.#random(2) === 0) {
      reply = await this.#ingest(plan, 1 + this.#random(MOST_COMMITS));
    }
    if (reply.outcome === 'done') await this.#options.afterIngest?.(plan);
    const isCurrent = reply.outcome === 'done' && this.#random(3) > 0;
    this.#memory.executions.set(runId, isCurrent ? 'SUCCEEDED' : 'FAILED');
    if (isCurrent) {
      const current = { runId, batchId: plan.batch.batchId, champion: null };
      await world.lake.write(CURRENT, current);
      for (const id of [plan.batch.batchId, ...plan.abandonedBatchIds]) {
        await world.lake.remove(PENDING_BATCH.of(id));
        await world.lake.remove(DRAFT.of(id));
      }
    }
    this.#memory.clock.advance(60_000);
    return true;
  }

  async #ingest(
    plan: RunPlan,
    dieAfter: number | undefined,
    release: ServedStep = ingestEvents,
  ): Promise<StepReply> {
    const reply = await this.#server.run(release, plan, dieAfter);
    this.#tell(`  ingest of ${plan.batch.batchId}: ${reply.outcome} after ${reply.commits.length} commits`);
    if (reply.outcome === 'failed') throw new Error(`${reply.error}\n${this.steps.join('\n')}`);
    const isPublished = reply.outcome === 'done' || reply.commits.some((commit) => PUBLISHED.test(commit));
    if (isPublished && !this.#published.has(plan.batch.batchId)) {
      this.#published.add(plan.batch.batchId);
      for (const [name, lines] of this.#batches.get(plan.batch.batchId) ?? []) this.#held.set(name, lines);
      for (const { uri } of plan.batch.takenOut ?? []) this.#held.delete(this.#name(uri));
    }
    if (reply.outcome === 'done' && release === ingestEvents) {
      const { counts, changes, lake } = await resultOf(ingestEvents, plan);
      if (changes !== undefined && changes !== null) {
        const { before, takenAway, returned, after } = changes;
        if (after !== before - takenAway + counts.accepted + returned || after !== lake?.events)
          throw new Error(`${JSON.stringify({ counts, changes, lake })}\n${this.steps.join('\n')}`);
      }
    }
    return reply;
  }

  /** What the tables of the lake hold, but for where a row was held and when a refused one came. */
  rows(): Promise<LakeRows> {
    return rowsOf(this.lakeFolder());
  }

  /** The same of a lake that ingests what this one must hold at once. */
  async cleanRows(): Promise<LakeRows> {
    const [lake, log] = [this.cleanLakeFolder(), join(this.#folder, 'clean log')];
    await mkdir(log, { recursive: true });
    const files = await Promise.all([...this.#held].map(([name, lines]) => writeEventFile(log, name, lines)));
    const plan = await writePlan(lake, { runId: 'clean', files, ingest: { maxQuarantineShare: 1 } });
    const reply = await this.#server.run(ingestEvents, plan);
    if (reply.outcome !== 'done') throw new Error(`${reply.error}`);
    return rowsOf(lake);
  }

  #randomLine(isOddlyWritten: boolean): string {
    return randomLine(this.#random, isOddlyWritten, this.#options);
  }

  #randomLines(withOddLines: boolean): Lines {
    return Array.from({ length: 1 + this.#random(this.#options.lines ?? LINES) }, () =>
      this.#randomLine(withOddLines && this.#random(ODD_LINES) === 0),
    );
  }

  #put(name: string, lines: Lines): void {
    this.#tell(`put ${name}: ${lines.length} lines`);
    const delivery = this.#log.get(name)?.delivery ?? 0;
    this.#log.set(name, { lines, delivery });
    this.#versions.set(name, [...(this.#versions.get(name) ?? []), lines]);
  }

  #remove(name: string): void {
    this.#tell(`remove ${name}`);
    this.#log.delete(name);
  }

  async #writeLog(): Promise<void> {
    await rm(this.#logFolder(), { recursive: true, force: true });
    await mkdir(this.#logFolder(), { recursive: true });
    for (const [name, { lines }] of this.#log) await writeEventFile(this.#logFolder(), name, lines);
  }

  #ports(): Ports {
    const store = new FolderStore(new ContentTags(join(this.#folder, 'tags.json')));
    const listing = [...this.#log]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { lines, delivery }]) => ({
        uri: this.#uri(name),
        etag: `${tagOf(lines)}-${delivery}`,
        bytes: lines.join('\n').length,
        modifiedAt: new Date(),
      }));
    const objects: Ports['objects'] = {
      read: (uri) => store.read(uri),
      write: (uri, text, options) => store.write(uri, text, options),
      lines: (uri) => store.lines(uri),
      list: (location) => store.list(location),
      remove: (uri) => store.remove(uri),
      tag: () => store.tag(),
      async *pages() {
        yield listing;
      },
    };
    const { clock, sql, clusters, account, instanceMarket, spotPrices, executions, notifications, log } =
      this.#memory;
    return {
      objects,
      clock,
      sql,
      clusters,
      account,
      instanceMarket,
      spotPrices,
      executions,
      notifications,
      log,
    };
  }

  #deployment() {
    return {
      ...DEPLOYMENT,
      settings: { ...DEPLOYMENT.settings, ...this.#options.settings },
      platform: 'local' as const,
      database: LOCAL_DATABASE,
      lakeRoot: fileUri(this.lakeFolder()),
      eventsRoot: fileUri(this.#logFolder()),
    };
  }

  #linesOf(uri: string): Lines {
    return this.#log.get(this.#name(uri))?.lines ?? [];
  }

  #uri(name: string): string {
    return fileUri(join(this.#logFolder(), name));
  }

  #name(uri: string): string {
    return uri.slice(uri.lastIndexOf('/') + 1);
  }

  #newName(): string {
    this.#names += 1;
    return `file ${String(this.#names).padStart(3, '0')}.json`;
  }

  #anyOf<Item>(items: readonly Item[]): Item | undefined {
    return items[this.#random(Math.max(items.length, 1))];
  }

  /** Folder of the lake. */
  lakeFolder(): string {
    return join(this.#folder, 'lake');
  }

  /** Folder of the lake that `cleanRows` makes. */
  cleanLakeFolder(): string {
    return join(this.#folder, 'clean');
  }

  #logFolder(): string {
    return join(this.#folder, 'log');
  }

  #tell(text: string): void {
    this.steps.push(text);
  }
}

const tagOf = (lines: Lines): string => createHash('sha256').update(lines.join('\n')).digest('hex');

async function writeEventFile(folder: string, name: string, lines: Lines): Promise<EventFile> {
  const path = join(folder, name);
  const text = lines.map((line) => `${line}\n`).join('');
  await writeFile(path, text);
  return { uri: fileUri(path), etag: tagOf(lines), bytes: text.length };
}

const KEY = 'event_date, user_id, event_time, session_id, item_in_session, page';
const FILE = "regexp_extract(source_file, '[^/]*$') AS file";

async function rowsOf(lake: string): Promise<LakeRows> {
  const columns = (
    table: { readonly columns: readonly { readonly name: string }[] },
    left: readonly string[],
  ) =>
    table.columns
      .map(({ name }) => name)
      .filter((name) => !left.includes(name))
      .join(', ');
  const select = (what: string, from: string) => queryLake(lake, `SELECT ${what} FROM ${from} ORDER BY ALL`);
  return {
    events: await select(columns(EVENTS, ['source_file', 'batch_id']), 'events'),
    userDays: await select(columns(USER_DAYS, ['artist_sketch']), 'user_days'),
    pageDays: await select(columns(PAGE_DAYS, []), 'page_days'),
    refused: await select(
      `${columns(QUARANTINED_EVENTS, ['ingest_date', 'batch_id', 'source_file'])}, ${FILE}`,
      'quarantined_events',
    ),
    // Whichever file holds an event, all that have it are known, each once.
    files: await select(
      `${KEY}, ${FILE}`,
      '(SELECT * FROM events UNION ALL SELECT * FROM repeated_events) AS rows',
    ),
  };
}
