/** The Clusters port: a cluster is a record and, while a step runs, a group of Spark processes. */
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
});
export type LocalCluster = z.infer<typeof clusterSchema>;

export class LocalClusters implements Clusters {
  readonly #folder: string;
  readonly #registry: Registry<typeof clusterSchema>;

  /** @param folder one record a cluster, and beside it the cluster's configuration and scratch files */
  constructor(folder: string) {
    this.#folder = folder;
    this.#registry = new Registry(folder, clusterSchema);
  }

  /** Where a cluster keeps its configuration and its scratch files; removed when it ends. */
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
    });
  }

  /** A cluster that can take a step. */
  async waiting(clusterId: string): Promise<LocalCluster> {
    const cluster = await this.#registry.find(clusterId);
    if (cluster === undefined) throw new Error(`there is no cluster ${clusterId}`);
    if (cluster.endedAt !== null) throw new Error(`cluster ${clusterId} has ended`);
    return cluster;
  }

  async change(clusterId: string, change: Partial<Pick<LocalCluster, 'failedStep' | 'step'>>): Promise<void> {
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
        // Termination takes no time here.
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
    if (cluster.step !== null) await endGroup(cluster.step);
    await rm(this.folderOf(clusterId), { recursive: true, force: true });
    await this.#registry.put(clusterId, {
      ...cluster,
      endedAt: new Date().toISOString(),
      stateChangeReason: 'terminated on request',
      step: null,
    });
  }

  /** Kills every process of a run's clusters at once; their records stay as they are. */
  async kill(runId: string): Promise<void> {
    for (const cluster of await this.#registry.all()) {
      if (cluster.runId === runId && cluster.step !== null) killGroup(cluster.step);
    }
  }
}

/** A cluster lives with the process that owns it, and as long as anything of its step does. */
function lives({ endedAt, owner, step }: LocalCluster): boolean {
  return endedAt === null && (isAlive(owner) || (step !== null && groupLives(step)));
}
