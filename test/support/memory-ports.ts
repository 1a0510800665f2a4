/**
 * In-memory adapters of the Lambdas' ports: conditional writes like those of S3, clusters that live until they are
 * terminated, executions whose status a test sets, notifications that are kept. Every call yields to others, so concurrent
 * callers interleave; with `before` a test can crash or delay any call.
 */
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { compareKeys } from '../../domain/key-order.ts';
import type { ByMarket, QuotaState } from '../../domain/preflight.ts';
import type { Notice } from '../../domain/run.ts';
import type { Account } from '../../lambda/ports/account.ts';
import type { Clock } from '../../lambda/ports/clock.ts';
import type { ClusterDescription, Clusters, LivingCluster } from '../../lambda/ports/clusters.ts';
import type {
  ExecutionStatus,
  Executions,
  FailedExecution,
  StateVisit,
} from '../../lambda/ports/executions.ts';
import type {
  InstanceMarket,
  InstanceOffers,
  SpotPriceChange,
  SpotPriceQuestion,
  SpotPrices,
} from '../../lambda/ports/instance-market.ts';
import type { Log } from '../../lambda/ports/log.ts';
import type { Notifications, NotifyOutcome } from '../../lambda/ports/notifications.ts';
import type {
  ListedObject,
  ObjectStore,
  ObjectTag,
  ObjectText,
  WriteOptions,
  WriteOutcome,
} from '../../lambda/ports/objects.ts';
import { linesOf } from '../../lambda/ports/pages.ts';
import type { Ports } from '../../lambda/ports/ports.ts';
import type { AnswerRow, SqlEngine } from '../../lambda/ports/sql.ts';

/** Called before every call of a port, with the call's name and first argument; if it throws, so does the call. */
export type Interceptor = (call: string, argument: string) => void | Promise<void>;

class Turnstile {
  before: Interceptor | undefined;

  async pass(call: string, argument = ''): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    await this.before?.(call, argument);
  }
}

/** A clock that advances only when code waits. */
export class MemoryClock implements Clock {
  #milliseconds: number;

  constructor(start: string) {
    this.#milliseconds = Date.parse(start);
  }

  now(): Date {
    return new Date(this.#milliseconds);
  }

  async wait(milliseconds: number): Promise<void> {
    this.advance(milliseconds);
    await new Promise((resolve) => setImmediate(resolve));
  }

  advance(milliseconds: number): void {
    this.#milliseconds += milliseconds;
  }
}

interface MemoryObject {
  readonly text: string;
  readonly etag: string;
  readonly bytes: number;
  readonly modifiedAt: Date;
}

/** Characters that arrive at a time when an object is read as a stream. */
const PIECE = 1_000;

function* piecesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length; start += PIECE) yield text.slice(start, start + PIECE);
}

export class MemoryObjects implements ObjectStore {
  /** Content types of the objects that were written, by URI. */
  readonly contentTypes = new Map<string, string>();
  /** `key=value` of the objects that were given a tag, by URI. */
  readonly tags = new Map<string, string>();
  /** Objects on a page of a listing. */
  pageSize = 1_000;
  readonly #objects = new Map<string, MemoryObject>();
  readonly #turnstile: Turnstile;
  readonly #clock: Clock;
  #writes = 0;

  constructor(turnstile: Turnstile, clock: Clock) {
    this.#turnstile = turnstile;
    this.#clock = clock;
  }

  async read(uri: string): Promise<ObjectText | undefined> {
    await this.#turnstile.pass('objects.read', uri);
    return this.#objects.get(uri);
  }

  async write(uri: string, text: string, { contentType, condition }: WriteOptions): Promise<WriteOutcome> {
    await this.#turnstile.pass('objects.write', uri);
    const before = this.#objects.get(uri);
    if (condition?.kind === 'absent' && before !== undefined) return 'conflict';
    if (condition?.kind === 'unchanged' && before?.etag !== condition.etag) return 'conflict';
    this.put(uri, text);
    this.contentTypes.set(uri, contentType);
    return 'written';
  }

  async list(location: string): Promise<readonly ListedObject[]> {
    await this.#turnstile.pass('objects.list', location);
    return this.#listed(location);
  }

  #listed(location: string): readonly ListedObject[] {
    const folder = location.replace(/\/+$/, '');
    return [...this.#objects]
      .filter(([uri]) => uri === folder || uri.startsWith(`${folder}/`) || posix.matchesGlob(uri, location))
      .map(([uri, { etag, bytes, modifiedAt }]) => ({ uri, etag, bytes, modifiedAt }))
      .sort((a, b) => compareKeys(a.uri, b.uri));
  }

  async *lines(uri: string): AsyncGenerator<readonly string[]> {
    await this.#turnstile.pass('objects.lines', uri);
    const object = this.#objects.get(uri);
    if (object !== undefined) yield* linesOf(Readable.from(piecesOf(object.text)));
  }

  async *pages(location: string, after?: string): AsyncGenerator<readonly ListedObject[]> {
    await this.#turnstile.pass('objects.pages', location);
    const listed = this.#listed(location).filter(
      ({ uri }) => after === undefined || compareKeys(uri, after) > 0,
    );
    for (let start = 0; start < listed.length; start += this.pageSize) {
      yield listed.slice(start, start + this.pageSize);
    }
  }

  async tag(uri: string, { key, value }: ObjectTag): Promise<void> {
    await this.#turnstile.pass('objects.tag', uri);
    if (this.#objects.has(uri)) this.tags.set(uri, `${key}=${value}`);
  }

  async remove(uri: string): Promise<void> {
    await this.#turnstile.pass('objects.remove', uri);
    this.#objects.delete(uri);
  }

  /** Puts an object into the store, as another process would. */
  put(uri: string, text: string, bytes = Buffer.byteLength(text)): void {
    this.#writes += 1;
    this.#objects.set(uri, { text, etag: `"${this.#writes}"`, bytes, modifiedAt: this.#clock.now() });
  }

  /** Text of an object, without passing the interceptor. */
  text(uri: string): string | undefined {
    return this.#objects.get(uri)?.text;
  }

  /** Entity tag of an object, without passing the interceptor. */
  etag(uri: string): string | undefined {
    return this.#objects.get(uri)?.etag;
  }

  /** Addresses of all objects, sorted. */
  uris(): readonly string[] {
    return [...this.#objects.keys()].sort();
  }
}

type Answer = readonly AnswerRow[];

export class MemorySql implements SqlEngine {
  readonly answers = new Map<string, Answer>();
  readonly #turnstile: Turnstile;

  constructor(turnstile: Turnstile) {
    this.#turnstile = turnstile;
  }

  async results(queryExecutionId: string): Promise<Answer> {
    await this.#turnstile.pass('sql.results', queryExecutionId);
    const answer = this.answers.get(queryExecutionId);
    if (answer === undefined) throw new Error(`there is no query ${queryExecutionId}`);
    return answer;
  }
}

export type MemoryCluster = Omit<LivingCluster, 'isTerminating'> & Omit<ClusterDescription, 'clusterId'>;

const ENDED_STATES: readonly string[] = ['TERMINATED', 'TERMINATED_WITH_ERRORS'];

export class MemoryClusters implements Clusters {
  readonly all: MemoryCluster[] = [];
  /** How long a cluster takes to terminate. */
  terminationMilliseconds = 0;
  readonly #endsAt = new Map<string, number>();
  readonly #turnstile: Turnstile;
  readonly #clock: Clock;

  constructor(turnstile: Turnstile, clock: Clock) {
    this.#turnstile = turnstile;
    this.#clock = clock;
  }

  /** Starts a cluster, as the state machine does. */
  start(runId: string, executionArn: string, more: Partial<MemoryCluster> = {}): MemoryCluster {
    const cluster: MemoryCluster = {
      clusterId: `j-${this.all.length + 1}`,
      runId,
      executionArn,
      createdAt: this.#clock.now(),
      state: 'RUNNING',
      stateChangeReason: null,
      failedStep: null,
      instances: [],
      ...more,
    };
    this.all.push(cluster);
    return cluster;
  }

  async living(runId?: string): Promise<readonly LivingCluster[]> {
    await this.#turnstile.pass('clusters.living', runId);
    this.settle();
    return this.all
      .filter((cluster) => !ENDED_STATES.includes(cluster.state))
      .filter((cluster) => runId === undefined || cluster.runId === runId)
      .map((cluster) => ({ ...cluster, isTerminating: cluster.state === 'TERMINATING' }));
  }

  async ofRun(runId: string): Promise<readonly ClusterDescription[]> {
    await this.#turnstile.pass('clusters.ofRun', runId);
    this.settle();
    return this.all.filter((cluster) => cluster.runId === runId);
  }

  async terminate(clusterId: string): Promise<void> {
    await this.#turnstile.pass('clusters.terminate', clusterId);
    const cluster = this.all.find((known) => known.clusterId === clusterId);
    if (cluster === undefined || [...ENDED_STATES, 'TERMINATING'].includes(cluster.state)) return;
    this.#endsAt.set(clusterId, this.#clock.now().getTime() + this.terminationMilliseconds);
    this.#become(cluster, 'TERMINATING');
    this.settle();
  }

  /** Terminates the clusters whose termination time has passed. */
  settle(now = this.#clock.now()): void {
    for (const cluster of [...this.all]) {
      const endsAt = this.#endsAt.get(cluster.clusterId);
      const isDue = endsAt !== undefined && endsAt <= now.getTime();
      if (cluster.state === 'TERMINATING' && isDue) this.#become(cluster, 'TERMINATED');
    }
  }

  #become(cluster: MemoryCluster, state: string): void {
    const stateChangeReason = 'Terminated by user request';
    this.all[this.all.indexOf(cluster)] = { ...cluster, state, stateChangeReason };
  }
}

/** An account that lacks nothing, unless a test takes it away. */
export class MemoryAccount implements Account {
  readonly quota = { onDemand: { vcpus: 1_000, inUse: 0 }, spot: { vcpus: 1_000, inUse: 0 } };
  readonly missingRoles = new Set<string>();
  readonly untagged = new Set<string>();
  readonly #turnstile: Turnstile;

  constructor(turnstile: Turnstile) {
    this.#turnstile = turnstile;
  }

  async quotas(): Promise<ByMarket<QuotaState>> {
    await this.#turnstile.pass('account.quotas');
    return this.quota;
  }

  async hasServiceLinkedRole({ name }: { readonly name: string }): Promise<boolean> {
    await this.#turnstile.pass('account.hasServiceLinkedRole', name);
    return !this.missingRoles.has(name);
  }

  async untaggedSubnets(subnetIds: readonly string[]): Promise<readonly string[]> {
    await this.#turnstile.pass('account.untaggedSubnets', subnetIds.join());
    return subnetIds.filter((id) => this.untagged.has(id));
  }
}

export class MemoryInstanceMarket implements InstanceMarket {
  /** Zones by type; a type that is not listed is sold in the zones of all subnets. */
  readonly zones = new Map<string, readonly string[]>();
  readonly subnetZones: readonly string[] = ['us-east-1a', 'us-east-1b'];
  readonly #turnstile: Turnstile;

  constructor(turnstile: Turnstile) {
    this.#turnstile = turnstile;
  }

  async offers(instanceTypes: readonly string[], subnetIds: readonly string[]): Promise<InstanceOffers> {
    await this.#turnstile.pass('instanceMarket.offers', subnetIds.join());
    const zones = new Map(instanceTypes.map((type) => [type, this.zones.get(type) ?? this.subnetZones]));
    return { zones, subnetZones: this.subnetZones };
  }
}

export class MemorySpotPrices implements SpotPrices {
  /** The price changes of the market. */
  readonly changes: SpotPriceChange[] = [];
  readonly #turnstile: Turnstile;

  constructor(turnstile: Turnstile) {
    this.#turnstile = turnstile;
  }

  async history({ zone, instanceTypes }: SpotPriceQuestion): Promise<readonly SpotPriceChange[]> {
    await this.#turnstile.pass('spotPrices.history', zone);
    return this.changes.filter(({ instanceType }) => instanceTypes.includes(instanceType));
  }
}

export class MemoryExecutions implements Executions {
  readonly all = new Map<string, FailedExecution>();
  /** By the execution's ARN. */
  readonly visited = new Map<string, readonly StateVisit[]>();
  readonly #turnstile: Turnstile;
  readonly #clock: Clock;

  constructor(turnstile: Turnstile, clock: Clock) {
    this.#turnstile = turnstile;
    this.#clock = clock;
  }

  /** Starts an execution or changes its state; returns its ARN. */
  set(runId: string, status: ExecutionStatus): string {
    const executionArn = arnOf(runId);
    const startedAt = this.all.get(executionArn)?.startedAt ?? this.#clock.now();
    this.all.set(executionArn, { runId, executionArn, status, startedAt });
    return executionArn;
  }

  async status(executionArn: string): Promise<ExecutionStatus> {
    await this.#turnstile.pass('executions.status', executionArn);
    return this.all.get(executionArn)?.status ?? 'UNKNOWN';
  }

  async visits(executionArn: string): Promise<readonly StateVisit[]> {
    await this.#turnstile.pass('executions.visits', executionArn);
    return this.visited.get(executionArn) ?? [];
  }

  async failedSince(since: Date): Promise<readonly FailedExecution[]> {
    await this.#turnstile.pass('executions.failedSince', since.toISOString());
    return [...this.all.values()].filter(
      ({ status, startedAt }) => ['FAILED', 'TIMED_OUT', 'ABORTED'].includes(status) && startedAt >= since,
    );
  }
}

/** ARN of the execution of a run. */
export function arnOf(runId: string): string {
  return `arn:aws:states:us-east-1:111122223333:execution:churn:${runId}`;
}

export class MemoryNotifications implements Notifications {
  /** One per run, in order. */
  readonly published: (Notice & { readonly runId: string })[] = [];
  readonly #turnstile: Turnstile;

  constructor(turnstile: Turnstile) {
    this.#turnstile = turnstile;
  }

  async notifyOnce(runId: string, notice: Notice): Promise<NotifyOutcome> {
    await this.#turnstile.pass('notifications.notifyOnce', runId);
    if (this.published.some((message) => message.runId === runId)) return 'already notified';
    this.published.push({ runId, ...notice });
    return 'notified';
  }
}

/** All ports. */
export class MemoryPorts implements Ports {
  readonly clock: MemoryClock;
  readonly objects: MemoryObjects;
  readonly sql: MemorySql;
  readonly clusters: MemoryClusters;
  readonly account: MemoryAccount;
  readonly instanceMarket: MemoryInstanceMarket;
  readonly spotPrices: MemorySpotPrices;
  readonly executions: MemoryExecutions;
  readonly notifications: MemoryNotifications;
  readonly warnings: string[] = [];
  readonly log: Log = { warn: (message) => this.warnings.push(message) };
  readonly #turnstile = new Turnstile();

  constructor(start = '2018-12-04T06:00:00.000Z') {
    this.clock = new MemoryClock(start);
    this.objects = new MemoryObjects(this.#turnstile, this.clock);
    this.sql = new MemorySql(this.#turnstile);
    this.clusters = new MemoryClusters(this.#turnstile, this.clock);
    this.account = new MemoryAccount(this.#turnstile);
    this.instanceMarket = new MemoryInstanceMarket(this.#turnstile);
    this.spotPrices = new MemorySpotPrices(this.#turnstile);
    this.executions = new MemoryExecutions(this.#turnstile, this.clock);
    this.notifications = new MemoryNotifications(this.#turnstile);
  }

  /** Lets a test crash or delay calls; if undefined, all calls pass. */
  set before(interceptor: Interceptor | undefined) {
    this.#turnstile.before = interceptor;
  }
}
