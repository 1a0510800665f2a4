/** Adapter of the Clusters port: a cluster is a record and, from its first step on, a group of Spark processes. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { ClusterDescription, Clusters, LivingCluster } from '../../lambda/ports/clusters.ts';
import { endGroup, groupLives, killGroup } from '../processes/group.ts';
import { isAlive, ownIdentity, processSchema } from '../processes/identity.ts';
import { Registry } from './registry.ts';

const clusterSchema = z.strictObject({
  clusterId: z.string(),
  runId: z.string(),
  executionArn: z.string(),
  createdAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  stateChangeReason: z.string().nullable(),
  failedStep: z
    .strictObject({ name: z.string(), reason: z.string().nullable(), logUri: z.string().nullable() })
    .nullable(),
  /** The process that runs the state machine. */
  owner: processSchema,
  /** Leader of the step's processes, while one runs. */
  step: processSchema.nullable(),
  /** Leader of the processes that the newest step was given to; clusters of earlier releases have none between steps. */
  engine: processSchema.nullable().default(null),
});
export type LocalCluster = z.infer<typeof clusterSchema>;

export class LocalClusters implements Clusters {
  readonly #folder: string;
  readonly #registry: Registry<typeof clusterSchema>;

  /** @param folder holds one record per cluster, and beside it the cluster's configuration and scratch files */
  constructor(folder: string) {
    this.#folder = folder;
    this.#registry = new Registry(folder, clusterSchema);
  }

  /** Folder of a cluster's configuration and scratch files; removed when the cluster is terminated. */
  folderOf(clusterId: string): string {
    return join(this.#folder, clusterId);
  }

  async create(cluster: Pick<LocalCluster, 'clusterId' | 'runId' | 'executionArn'>): Promise<void> {
    await this.#registry.put(cluster.clusterId, {
      ...cluster,
      createdAt: new Date().toISOString(),
      endedAt: null,
      stateChangeReason: null,
      failedStep: null,
      owner: ownIdentity(),
      step: null,
      engine: null,
    });
  }

  /** Returns a cluster that can run a step. @throws Error if it does not exist or has been terminated */
  async waiting(clusterId: string): Promise<LocalCluster> {
    const cluster = await this.#registry.find(clusterId);
    if (cluster === undefined) throw new Error(`there is no cluster ${clusterId}`);
    if (cluster.endedAt !== null) throw new Error(`cluster ${clusterId} has been terminated`);
    return cluster;
  }

  async change(
    clusterId: string,
    change: Partial<Pick<LocalCluster, 'failedStep' | 'step' | 'engine'>>,
  ): Promise<void> {
    const cluster = await this.#registry.find(clusterId);
    if (cluster !== undefined) await this.#registry.put(clusterId, { ...cluster, ...change });
  }

  async living(runId?: string): Promise<readonly LivingCluster[]> {
    const clusters = await this.#registry.all();
    return clusters
      .filter((cluster) => lives(cluster) && (runId === undefined || cluster.runId === runId))
      .map(({ clusterId, runId: run, executionArn, createdAt }) => ({
        clusterId,
        runId: run,
        executionArn,
        createdAt: new Date(createdAt),
        // Locally, terminating a cluster takes no time.
        isTerminating: false,
      }));
  }

  async ofRun(runId: string): Promise<readonly ClusterDescription[]> {
    const clusters = await this.#registry.all();
    return clusters
      .filter((cluster) => cluster.runId === runId)
      .map((cluster) => ({
        clusterId: cluster.clusterId,
        state: lives(cluster) ? (cluster.step === null ? 'WAITING' : 'RUNNING') : 'TERMINATED',
        stateChangeReason: cluster.stateChangeReason,
        failedStep: cluster.failedStep,
        instances: [],
      }));
  }

  async terminate(clusterId: string): Promise<void> {
    const cluster = await this.#registry.find(clusterId);
    if (cluster === undefined || cluster.endedAt !== null) return;
    const { step, engine } = cluster;
    // Between steps there is nothing to finish.
    if (step === null && engine !== null) await endGroup(engine, 0);
    if (step !== null) await endGroup(step);
    await rm(this.folderOf(clusterId), { recursive: true, force: true });
    await this.#registry.put(clusterId, {
      ...cluster,
      endedAt: new Date().toISOString(),
      stateChangeReason: 'terminated on request',
      step: null,
      engine: null,
    });
  }

  /** Kills all processes of a run's clusters immediately; their records stay unchanged. */
  async kill(runId: string): Promise<void> {
    for (const cluster of await this.#registry.all()) {
      const leader = cluster.engine ?? cluster.step;
      if (cluster.runId === runId && leader !== null) killGroup(leader);
    }
  }
}

/** A cluster is alive as long as the process that owns it or any process of its steps is. */
function lives({ endedAt, owner, step, engine }: LocalCluster): boolean {
  const leader = engine ?? step;
  return endedAt === null && (isAlive(owner) || (leader !== null && groupLives(leader)));
}
