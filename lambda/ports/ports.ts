/**
 * The edge of the Lambdas: what they need of the world, as small interfaces. The cloud implements them with
 * the AWS SDK, the local run with folders, DuckDB and Spark processes; decisions never know which.
 */
import type { Notice } from '../../domain/run.ts';
import type { PriceChange } from '../../domain/spot-price.ts';

/** An object as a listing shows it. */
export interface StoredObject {
  readonly uri: string;
  readonly etag: string;
  readonly bytes: number;
  readonly modifiedAt: Date;
}

/** When a write may happen. */
export type WriteCondition =
  | { readonly kind: 'absent' }
  | { readonly kind: 'unchanged'; readonly etag: string };

/** A location that cannot be listed, however often one tries. */
export class UnlistableError extends Error {
  override readonly name = 'UnlistableError';
  readonly reason: 'no such bucket' | 'access denied';

  /** @param cause what the store itself said */
  constructor(location: string, reason: UnlistableError['reason'], cause: Error) {
    super(`${location} cannot be listed, ${reason}: ${cause.message}`, { cause });
    this.reason = reason;
  }
}

/** Objects by URI: `s3://bucket/key` or `file:///path`. */
export interface ObjectStore {
  /** Text and entity tag; undefined when there is no such object. */
  read(uri: string): Promise<{ readonly text: string; readonly etag: string } | undefined>;
  /** Writes the whole object or nothing. With a condition that does not hold, nothing is written and the answer is `conflict`. */
  write(
    uri: string,
    text: string,
    options?: { readonly condition?: WriteCondition; readonly contentType?: string },
  ): Promise<'written' | 'conflict'>;
  /**
   * Every object below a folder, or the file itself, or what a glob matches; in the order of their URIs.
   * @throws UnlistableError
   */
  list(location: string): Promise<readonly StoredObject[]>;
  /** Removes the object; one that is not there is no error. */
  remove(uri: string): Promise<void>;
}

/** Answers of queries that the state machine ran. */
export interface SqlEngine {
  /** Rows of a finished query, each a record of column name and text value (null for SQL's NULL). */
  results(queryExecutionId: string): Promise<readonly Readonly<Record<string, string | null>>[]>;
}

/** A cluster that has not ended. */
export interface LivingCluster {
  readonly clusterId: string;
  readonly runId: string;
  readonly executionArn: string;
  readonly createdAt: Date;
  /** Whether it was told to end, and takes its minutes over that: nobody need tell it again. */
  readonly isEnding: boolean;
}

/** What is known of a cluster, for explaining a failure and for its cost. */
export interface ClusterDescription {
  readonly clusterId: string;
  readonly state: string;
  readonly stateChangeReason: string | null;
  readonly failedStep: {
    readonly name: string;
    readonly reason: string | null;
    readonly logUri: string | null;
  } | null;
  /** One entry an instance that ran. */
  readonly instances: readonly ClusterInstance[];
}

export interface ClusterInstance {
  readonly instanceType: string;
  readonly market: 'ON_DEMAND' | 'SPOT';
  /** Availability zone; null when it is not known. */
  readonly zone: string | null;
  readonly startedAt: Date;
  /** Of an instance that still runs, now. */
  readonly endedAt: Date;
}

/** Clusters that carry this pipeline's tag. */
export interface Clusters {
  /** Clusters of one run, or of every run, that have not ended; all pages of the listing. */
  living(runId?: string): Promise<readonly LivingCluster[]>;
  /** Clusters of a run, ended or not. */
  ofRun(runId: string): Promise<readonly ClusterDescription[]>;
  /** Asks for the end of a cluster; one that has ended already is no error. */
  terminate(clusterId: string): Promise<void>;
}

/** Where instance types are sold. */
export interface InstanceOffers {
  /** Availability zones that sell a type; a type that the Region does not sell is not there. */
  readonly zones: ReadonlyMap<string, readonly string[]>;
  /** Availability zones of the subnets. */
  readonly subnetZones: readonly string[];
}

/** What EC2 sells. */
export interface InstanceMarket {
  offers(instanceTypes: readonly string[], subnetIds: readonly string[]): Promise<InstanceOffers>;
}

/** Whose prices are asked for: of these types in that zone, over that time. */
export interface SpotPriceQuestion {
  readonly zone: string;
  readonly instanceTypes: readonly string[];
  readonly from: Date;
  readonly to: Date;
}

export interface SpotPriceChange extends PriceChange {
  readonly instanceType: string;
}

/** What the spot market takes for instances. */
export interface SpotPrices {
  /** Changes within that time, and of each type the last one before it. */
  history(question: SpotPriceQuestion): Promise<readonly SpotPriceChange[]>;
}

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED' | 'UNKNOWN';

/** An execution that did not succeed. */
export interface EndedExecution {
  readonly runId: string;
  readonly executionArn: string;
  readonly status: ExecutionStatus;
  readonly startedAt: Date;
}

/** Executions of the state machine. `UNKNOWN`: there is no such execution (any more). */
export interface Executions {
  status(executionArn: string): Promise<ExecutionStatus>;
  /** Executions started since then that failed, timed out or were aborted: the sweep's list, should an event get lost. */
  endedBadly(since: Date): Promise<readonly EndedExecution[]>;
}

/** Notifies the subscribers of the outcome of a run. */
export interface Notifications {
  /**
   * Notifies them, unless any caller has notified them of that run before. Safe to call again after a call whose answer
   * is unknown.
   */
  notifyOnce(runId: string, notice: Notice): Promise<'notified' | 'notified before'>;
}

/** Where a Lambda says what people may want to know of a call that goes on. */
export interface Log {
  warn(message: string): void;
}

export interface Clock {
  now(): Date;
  wait(milliseconds: number): Promise<void>;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => new Date(),
  wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};

/** Everything a Lambda may touch. */
export interface Ports {
  readonly objects: ObjectStore;
  readonly sql: SqlEngine;
  readonly clusters: Clusters;
  readonly instanceMarket: InstanceMarket;
  readonly spotPrices: SpotPrices;
  readonly executions: Executions;
  readonly notifications: Notifications;
  readonly log: Log;
  readonly clock: Clock;
}
