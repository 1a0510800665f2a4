/** Clusters that carry this pipeline's tag. */

/** A cluster that has not terminated. */
export interface LivingCluster {
  readonly clusterId: string;
  readonly runId: string;
  readonly executionArn: string;
  readonly createdAt: Date;
  /** Whether its termination was requested, which takes it minutes: it need not be requested again. */
  readonly isTerminating: boolean;
}

/** What is known about a cluster, for explaining a failure and for its cost. */
export interface ClusterDescription {
  readonly clusterId: string;
  readonly state: string;
  readonly stateChangeReason: string | null;
  readonly failedStep: {
    readonly name: string;
    readonly reason: string | null;
    readonly logUri: string | null;
  } | null;
  /** One entry for each instance that ran. */
  readonly instances: readonly ClusterInstance[];
}

export interface ClusterInstance {
  readonly instanceType: string;
  readonly market: 'ON_DEMAND' | 'SPOT';
  /** Availability zone; null when it is not known. */
  readonly zone: string | null;
  readonly startedAt: Date;
  /** Now, for an instance that is still running. */
  readonly endedAt: Date;
}

export interface Clusters {
  /** Clusters of one run, or of every run, that have not terminated; all pages of the listing. */
  living(runId?: string): Promise<readonly LivingCluster[]>;
  /** Clusters of a run, terminated or not. */
  ofRun(runId: string): Promise<readonly ClusterDescription[]>;
  /** Requests the termination of a cluster; it is no error if it has terminated already. */
  terminate(clusterId: string): Promise<void>;
}
