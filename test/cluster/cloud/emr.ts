/** An emulated EMR: the API that Step Functions and the Lambdas call, over clusters that run on this machine. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Json } from '../../../local/template/template.ts';
import { type DeployedConfiguration, deployedConfigurationSchema } from '../classifications.ts';
import { type EmulatedService, ServiceError } from './gateway.ts';

/** How a step ended, and what it printed. */
export interface StepOutcome {
  readonly exitCode: number | undefined;
}

/** A cluster whose daemons run. */
export interface RunningCluster {
  /** Runs a step to its end. */
  readonly run: (name: string, args: readonly string[]) => Promise<StepOutcome>;
  readonly stop: () => Promise<void>;
}

/** Starts the daemons of a cluster. */
export type StartCluster = (
  clusterId: string,
  configurations: readonly DeployedConfiguration[],
) => Promise<RunningCluster>;

const fleetSchema = z.looseObject({
  InstanceFleetType: z.string(),
  TargetOnDemandCapacity: z.number().default(0),
  TargetSpotCapacity: z.number().default(0),
  InstanceTypeConfigs: z.array(z.looseObject({ InstanceType: z.string() })),
});
const tagsSchema = z.array(z.object({ Key: z.string(), Value: z.string() }));
const runJobFlowSchema = z.looseObject({
  Name: z.string(),
  Tags: tagsSchema,
  Configurations: z.array(deployedConfigurationSchema),
  Instances: z.looseObject({
    KeepJobFlowAliveWhenNoSteps: z.literal(true),
    InstanceFleets: z.array(fleetSchema),
  }),
});
const stepSchema = z.looseObject({
  Name: z.string(),
  HadoopJarStep: z.looseObject({ Jar: z.literal('command-runner.jar'), Args: z.array(z.string()).min(1) }),
});

type StepState = 'PENDING' | 'RUNNING' | 'COMPLETED' | 'FAILED' | 'CANCELLED';
type ClusterState =
  | 'STARTING'
  | 'WAITING'
  | 'RUNNING'
  | 'TERMINATING'
  | 'TERMINATED'
  | 'TERMINATED_WITH_ERRORS';

interface Step {
  readonly id: string;
  readonly request: z.infer<typeof stepSchema>;
  state: StepState;
  reason: string | undefined;
}

interface Cluster {
  readonly id: string;
  readonly request: z.infer<typeof runJobFlowSchema>;
  readonly createdAt: number;
  endedAt: number | undefined;
  state: ClusterState;
  reason: string;
  readonly steps: Step[];
  readonly running: Promise<RunningCluster | undefined>;
}

export interface EmulatedEmr {
  readonly service: EmulatedService;
  readonly tagsOf: (clusterId: string) => Readonly<Record<string, string>>;
  readonly clusterIds: () => readonly string[];
  /** Until the returned function is called, clusters that are asked to terminate keep terminating. */
  readonly holdTerminations: () => () => void;
  /** Stops what still runs. */
  readonly stop: () => Promise<void>;
}

export function emulatedEmr(start: StartCluster): EmulatedEmr {
  const clusters = new Map<string, Cluster>();
  let release: Promise<void> = Promise.resolve();
  const find = (id: string | undefined): Cluster => {
    const cluster = clusters.get(id ?? '');
    if (cluster === undefined)
      throw new ServiceError('InvalidRequestException', `Cluster id '${id}' is not valid.`);
    return cluster;
  };

  const create = (request: Json): Json => {
    const parsed = runJobFlowSchema.parse(request);
    const id = `j-${newId()}`;
    const cluster: Cluster = {
      id,
      request: parsed,
      createdAt: now(),
      endedAt: undefined,
      state: 'STARTING',
      reason: '',
      steps: [],
      running: start(id, parsed.Configurations).then(
        (running) => {
          if (cluster.state === 'STARTING') cluster.state = 'WAITING';
          return running;
        },
        (error) => {
          ended(cluster, 'TERMINATED_WITH_ERRORS', String(error));
          return undefined;
        },
      ),
    };
    clusters.set(id, cluster);
    return { JobFlowId: id };
  };

  const addSteps = (request: Json): Json => {
    const { JobFlowId, Steps } = z
      .looseObject({ JobFlowId: z.string(), Steps: z.array(stepSchema) })
      .parse(request);
    const cluster = find(JobFlowId);
    if (cluster.state !== 'WAITING' && cluster.state !== 'RUNNING') {
      throw new ServiceError(
        'ValidationException',
        `A job flow that is ${cluster.state} may not receive steps`,
      );
    }
    const steps = Steps.map(
      (each): Step => ({ id: `s-${newId()}`, request: each, state: 'PENDING', reason: undefined }),
    );
    for (const step of steps) {
      cluster.steps.push(step);
      void execute(cluster, step);
    }
    return { StepIds: steps.map(({ id }) => id) };
  };

  const terminate = (cluster: Cluster): void => {
    if (cluster.endedAt !== undefined || cluster.state === 'TERMINATING') return;
    cluster.state = 'TERMINATING';
    cluster.reason = 'Terminated by user request';
    void cluster.running
      .then((running) => running?.stop())
      .then(() => release)
      .then(() => ended(cluster, 'TERMINATED', cluster.reason));
  };

  const operations: Readonly<Record<string, (request: Json) => Json>> = {
    RunJobFlow: create,
    AddJobFlowSteps: addSteps,
    DescribeCluster: (request) => ({ Cluster: description(find(clusterIdOf(request))) }),
    ListClusters: (request) => ({ Clusters: listed([...clusters.values()], request) }),
    ListInstances: (request) => ({ Instances: instances(find(clusterIdOf(request))) }),
    ListSteps: (request) => {
      const { StepStates } = z.looseObject({ StepStates: z.array(z.string()).optional() }).parse(request);
      const steps = find(clusterIdOf(request)).steps.toReversed();
      return { Steps: steps.filter(({ state }) => StepStates?.includes(state) ?? true).map(stepDescription) };
    },
    DescribeStep: (request) => {
      const { StepId } = z.looseObject({ StepId: z.string() }).parse(request);
      const step = find(clusterIdOf(request)).steps.find(({ id }) => id === StepId);
      if (step === undefined)
        throw new ServiceError('InvalidRequestException', `Step id '${StepId}' is not valid.`);
      return { Step: stepDescription(step) };
    },
    TerminateJobFlows: (request) => {
      const { JobFlowIds } = z.looseObject({ JobFlowIds: z.array(z.string()) }).parse(request);
      for (const id of JobFlowIds) terminate(find(id));
      return {};
    },
  };

  return {
    service: async (operation, request) => {
      const answer = operations[operation];
      if (answer === undefined) throw new Error(`the emulated EMR does not know ${operation}`);
      return answer(request);
    },
    tagsOf: (id) =>
      Object.fromEntries((clusters.get(id)?.request.Tags ?? []).map(({ Key, Value }) => [Key, Value])),
    clusterIds: () => [...clusters.keys()],
    holdTerminations: () => {
      const held = Promise.withResolvers<void>();
      release = held.promise;
      return held.resolve;
    },
    async stop() {
      for (const { running } of clusters.values()) await (await running)?.stop();
    },
  };
}

async function execute(cluster: Cluster, step: Step): Promise<void> {
  const running = await cluster.running;
  if (running === undefined || cluster.endedAt !== undefined) return;
  cluster.state = 'RUNNING';
  step.state = 'RUNNING';
  const { exitCode } = await running.run(step.request.Name, step.request.HadoopJarStep.Args);
  step.state = exitCode === 0 ? 'COMPLETED' : 'FAILED';
  step.reason = exitCode === 0 ? undefined : `spark-submit ended with exit code ${exitCode}`;
  if (cluster.state === 'RUNNING') cluster.state = 'WAITING';
}

function ended(cluster: Cluster, state: ClusterState, reason: string): void {
  cluster.endedAt = now();
  cluster.state = state;
  cluster.reason = reason;
}

/** EMR's times are seconds. */
function now(): number {
  return Date.now() / 1_000;
}

function newId(): string {
  return randomBytes(7).toString('hex').toUpperCase().slice(0, 13);
}

function clusterIdOf(request: Json): string {
  return z.looseObject({ ClusterId: z.string() }).parse(request).ClusterId;
}

function description({ id, request, state, reason, createdAt, endedAt }: Cluster): {
  readonly [key: string]: Json;
} {
  return {
    Id: id,
    Name: request.Name,
    Status: {
      State: state,
      StateChangeReason: { Message: reason },
      Timeline: { CreationDateTime: createdAt, ...(endedAt === undefined ? {} : { EndDateTime: endedAt }) },
    },
    Tags: request.Tags,
    Ec2InstanceAttributes: { Ec2AvailabilityZone: 'us-east-1a' },
  };
}

const filterSchema = z.looseObject({
  ClusterStates: z.array(z.string()).optional(),
  CreatedAfter: z.number().optional(),
});

function listed(clusters: readonly Cluster[], request: Json): Json {
  const { ClusterStates, CreatedAfter = 0 } = filterSchema.parse(request);
  return clusters
    .filter(({ state, createdAt }) => createdAt >= CreatedAfter && (ClusterStates?.includes(state) ?? true))
    .map((cluster) => {
      const { Id = null, Name = null, Status = null } = description(cluster);
      return { Id, Name, Status };
    });
}

/** One instance for each unit that the fleets ask for, of the first type. */
function instances({ request, createdAt, endedAt }: Cluster): Json {
  return request.Instances.InstanceFleets.flatMap((fleet) => {
    const one = (Market: string): Json => ({
      InstanceType: fleet.InstanceTypeConfigs[0]?.InstanceType ?? '',
      Market,
      Status: {
        State: endedAt === undefined ? 'RUNNING' : 'TERMINATED',
        Timeline: { CreationDateTime: createdAt, ...(endedAt === undefined ? {} : { EndDateTime: endedAt }) },
      },
    });
    return [
      ...Array.from({ length: fleet.TargetOnDemandCapacity }, () => one('ON_DEMAND')),
      ...Array.from({ length: fleet.TargetSpotCapacity }, () => one('SPOT')),
    ];
  });
}

function stepDescription({ id, request, state, reason }: Step): Json {
  return {
    Id: id,
    Name: request.Name,
    Status: { State: state, ...(reason === undefined ? {} : { FailureDetails: { Reason: reason } }) },
  };
}
