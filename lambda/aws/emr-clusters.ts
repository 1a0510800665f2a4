/** The Clusters port over EMR. A cluster belongs to this pipeline by its tags; its name only saves describing others. */
import {
  type Cluster,
  type ClusterState,
  type ClusterSummary,
  DescribeClusterCommand,
  type EMRClient,
  type Instance,
  paginateListClusters,
  paginateListInstances,
  paginateListSteps,
  TerminateJobFlowsCommand,
} from '@aws-sdk/client-emr';
import { CLUSTER_TAGS } from '../../domain/operations.ts';
import type { ClusterDescription, ClusterInstance, Clusters, LivingCluster } from '../ports/clusters.ts';

const LIVING_STATES: ClusterState[] = ['STARTING', 'BOOTSTRAPPING', 'RUNNING', 'WAITING', 'TERMINATING'];
/** How far back clusters of a run are looked for; no run takes as long. */
const LOOK_BACK_MILLISECONDS = 7 * 86_400_000;

interface TaggedCluster {
  readonly cluster: Cluster;
  readonly clusterId: string;
  readonly runId: string;
  readonly executionArn: string;
}

export class EmrClusters implements Clusters {
  readonly #client: EMRClient;
  readonly #pipelineName: string;

  /** @param pipelineName value of the tag CLUSTER_TAGS.pipeline, with which the clusters' names begin */
  constructor(client: EMRClient, pipelineName: string) {
    this.#client = client;
    this.#pipelineName = pipelineName;
  }

  async living(runId?: string): Promise<readonly LivingCluster[]> {
    const found = await this.#find({ ClusterStates: LIVING_STATES }, runId);
    return found.map(({ cluster, clusterId, runId: tagged, executionArn }) => ({
      clusterId,
      runId: tagged,
      executionArn,
      createdAt: cluster.Status?.Timeline?.CreationDateTime ?? new Date(0),
      isTerminating: cluster.Status?.State === 'TERMINATING',
    }));
  }

  async ofRun(runId: string): Promise<readonly ClusterDescription[]> {
    const since = new Date(Date.now() - LOOK_BACK_MILLISECONDS);
    const found = await this.#find({ CreatedAfter: since }, runId);
    return Promise.all(found.map((tagged) => this.#describe(tagged)));
  }

  async terminate(clusterId: string): Promise<void> {
    await this.#client.send(new TerminateJobFlowsCommand({ JobFlowIds: [clusterId] }));
  }

  async #find(
    filter: { readonly ClusterStates?: ClusterState[]; readonly CreatedAfter?: Date },
    runId: string | undefined,
  ): Promise<readonly TaggedCluster[]> {
    const found: TaggedCluster[] = [];
    for await (const page of paginateListClusters({ client: this.#client }, filter)) {
      for (const summary of page.Clusters ?? []) {
        const tagged = this.#isNamed(summary, runId) ? await this.#tagged(summary.Id) : undefined;
        if (tagged !== undefined && (runId === undefined || tagged.runId === runId)) found.push(tagged);
      }
    }
    return found;
  }

  #isNamed({ Name = '' }: ClusterSummary, runId: string | undefined): boolean {
    const beginning = `${this.#pipelineName}-`;
    return runId === undefined ? Name.startsWith(beginning) : Name === `${beginning}${runId}`;
  }

  async #tagged(clusterId: string | undefined): Promise<TaggedCluster | undefined> {
    const { Cluster: cluster } = await this.#client.send(
      new DescribeClusterCommand({ ClusterId: clusterId }),
    );
    if (cluster === undefined || clusterId === undefined) return undefined;
    const tags = new Map((cluster.Tags ?? []).map(({ Key, Value }) => [Key, Value]));
    const runId = tags.get(CLUSTER_TAGS.runId);
    const executionArn = tags.get(CLUSTER_TAGS.executionArn);
    if (tags.get(CLUSTER_TAGS.pipeline) !== this.#pipelineName) return undefined;
    if (runId === undefined || executionArn === undefined) return undefined;
    return { cluster, clusterId, runId, executionArn };
  }

  async #describe({ cluster, clusterId }: TaggedCluster): Promise<ClusterDescription> {
    const instances: Instance[] = [];
    for await (const page of paginateListInstances({ client: this.#client }, { ClusterId: clusterId })) {
      instances.push(...(page.Instances ?? []));
    }
    return {
      clusterId,
      state: cluster.Status?.State ?? 'UNKNOWN',
      stateChangeReason: cluster.Status?.StateChangeReason?.Message ?? null,
      failedStep: await this.#failedStep(clusterId),
      instances: instances.map((instance) => clusterInstance(instance, cluster)),
    };
  }

  /** The step that failed last. */
  async #failedStep(clusterId: string): Promise<ClusterDescription['failedStep']> {
    const filter = { ClusterId: clusterId, StepStates: ['FAILED' as const] };
    for await (const page of paginateListSteps({ client: this.#client }, filter)) {
      const [step] = page.Steps ?? [];
      if (step === undefined) continue;
      const { FailureDetails: failure, StateChangeReason: change } = step.Status ?? {};
      return {
        name: step.Name ?? '',
        reason: failure?.Message ?? failure?.Reason ?? change?.Message ?? null,
        logUri: failure?.LogFile ?? null,
      };
    }
    return null;
  }
}

/** All instances of a cluster are in its one zone. An instance that never started ran for no time. */
function clusterInstance({ InstanceType, Market, Status }: Instance, cluster: Cluster): ClusterInstance {
  const { CreationDateTime: start, EndDateTime: end = new Date() } = Status?.Timeline ?? {};
  return {
    instanceType: InstanceType ?? '',
    market: Market === 'SPOT' ? 'SPOT' : 'ON_DEMAND',
    zone: cluster.Ec2InstanceAttributes?.Ec2AvailabilityZone ?? null,
    startedAt: start ?? end,
    endedAt: end,
  };
}
