/**
 * The deployed pipeline in memory: the very definition that would be deployed, interpreted; the Lambdas' own bodies
 * with in-memory ports; clusters whose steps write prepared results. Every task passes through a hook with which a test
 * can make it fail, and time passes only when code waits.
 */
import { z } from 'zod';
import { CLUSTER_TAGS, FUNCTION_NAMES } from '../../domain/operations.ts';
import type { RunRequest } from '../../domain/run.ts';
import { stepOfState } from '../../domain/states.ts';
import type { Closing } from '../../lambda/close-run/close-one-run.ts';
import { closeRun } from '../../lambda/close-run/close-run.ts';
import type { ClusterInstance } from '../../lambda/ports/clusters.ts';
import type { Ports } from '../../lambda/ports/ports.ts';
import { lambda } from '../../local/handlers/lambda.ts';
import { stepFunctions } from '../../local/handlers/step-functions.ts';
import { type Ending, type StateEvent, startExecution } from '../../local/interpreter/interpreter.ts';
import { type TaskContext, TaskError, type TaskHandlers } from '../../local/interpreter/task.ts';
import { FUNCTIONS } from '../../local/run/lambda-bodies.ts';
import { functionArnOf, readDefinition } from '../../local/template/definition.ts';
import type { Json } from '../../local/template/template.ts';
import { arnOf, MemoryPorts } from './memory-ports.ts';
import { answerReconcileQuery, DEPLOYMENT, EVENTS, runStep, worldOn } from './run-fixture.ts';
import { synthesize } from './synthesize.ts';

/** The definition that would be deployed. */
export const deployed = readDefinition(synthesize().assembly.directory);

/** One call of a task; `work` does what the service does and returns its answer. */
export interface TaskCall {
  readonly state: string;
  readonly kind: string;
  /** Counts the state's calls from 1: above 1 it is a retry. */
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly abort: () => void;
  /** For a Lambda, `ports` may replace the world's ports. */
  readonly work: (ports?: Ports) => Promise<Json>;
}
export type TaskHook = (call: TaskCall) => Promise<Json>;

export interface RunOptions {
  readonly runId: string;
  readonly request?: RunRequest;
  readonly definition?: Json;
  readonly onTask?: TaskHook;
  /** Called with a function that aborts the execution as StopExecution would. */
  readonly onState?: (event: StateEvent, abort: () => void) => void;
}

export class FaultWorld {
  readonly ports = new MemoryPorts();

  constructor() {
    // Longer than the time between sweeps, so that a sweep runs while a cluster is terminating.
    this.ports.clusters.terminationMilliseconds = 20 * 60_000;
    this.ports.objects.put(`${EVENTS}/2018-10-01.json`, 'events', 500_000);
  }

  /** Starts an execution and waits until it has ended; its event is not delivered yet. */
  async run({
    runId,
    request = {},
    definition = deployed.states,
    onTask,
    onState,
  }: RunOptions): Promise<Ending> {
    const executionArn = this.ports.executions.set(runId, 'RUNNING');
    const hook: TaskHook = onTask ?? (({ work }) => work());
    const attempts = new Map<string, number>();
    const handlers = Object.entries(handlersOf(this.ports, runId)).map(([kind, handler]) => {
      const hooked = (parameters: Json, context: TaskContext): Promise<Json> => {
        const { stateName: state, signal } = context;
        const attempt = (attempts.get(state) ?? 0) + 1;
        attempts.set(state, attempt);
        const work = (ports: Ports = this.ports): Promise<Json> => handler(ports)(parameters, context);
        return hook({ state, kind, attempt, signal, abort: () => execution.abort(), work });
      };
      return [kind, hooked] as const;
    });
    const execution = startExecution({
      definition,
      // Removes fields that are undefined.
      input: JSON.parse(JSON.stringify(request)),
      execution: { arn: executionArn, name: runId },
      stateMachine: { arn: deployed.arn, name: deployed.name },
      handlers: Object.fromEntries(handlers),
      onEvent: (event) => onState?.(event, () => execution.abort()),
    });
    const ending = await execution.ended;
    this.ports.executions.set(runId, ending.status);
    return ending;
  }

  /** Delivers the event that the rule on failed executions would; a success has none. */
  async deliverEvent(runId: string, ending: Ending, ports: Ports = this.ports): Promise<void> {
    if (ending.status === 'SUCCEEDED') return;
    const isOwn = ending.status === 'FAILED';
    const event = {
      source: 'aws.states',
      'detail-type': 'Step Functions Execution Status Change',
      detail: {
        executionArn: arnOf(runId),
        stateMachineArn: deployed.arn,
        name: runId,
        status: ending.status,
        startDate: Date.parse('2018-12-04T06:00:00Z'),
        error: isOwn ? ending.error : null,
        cause: isOwn ? ending.cause : null,
      },
    };
    await closeRun(event, worldOn(ports));
  }

  /** The sweep, which runs every 15 minutes. */
  async sweep(ports: Ports = this.ports): Promise<readonly Closing[]> {
    this.ports.clock.advance(15 * 60_000);
    return (await closeRun({ sweep: true }, worldOn(ports))).closings;
  }
}

type Handler = (ports: Ports) => TaskHandlers[string];

/** The behaviour of each kind of resource; created for each call, so that a call may have its own ports. */
function handlersOf(world: MemoryPorts, runId: string): Readonly<Record<string, Handler>> {
  const emr = (name: keyof ReturnType<typeof memoryEmr>): Handler => {
    const handler = memoryEmr(world)[name];
    return () => handler;
  };
  return {
    'lambda:invoke': (ports) => handlerOf(lambda({ ports, find: findFunction }), 'lambda:invoke'),
    'elasticmapreduce:createCluster.sync': emr('create'),
    'elasticmapreduce:addStep.sync': emr('addStep'),
    'elasticmapreduce:terminateCluster.sync': emr('terminate'),
    'athena:startQueryExecution.sync': () => async () => {
      answerReconcileQuery(world, runId);
      return { QueryExecution: { QueryExecutionId: runId, Status: { State: 'SUCCEEDED' } } };
    },
    'states:startExecution': ({ notifications }) =>
      handlerOf(
        stepFunctions({ notifierArn: deployed.notifier.arn, notifications }),
        'states:startExecution',
      ),
  };
}

function handlerOf(handlers: TaskHandlers, kind: string): TaskHandlers[string] {
  const handler = handlers[kind];
  if (handler === undefined) throw new Error(`there is no handler for ${kind}`);
  return handler;
}

function findFunction(arn: string) {
  const functionName = deployed.functions.get(functionArnOf(arn))?.functionName;
  const name = FUNCTION_NAMES.find((own) => functionName?.endsWith(`-${own}`) === true);
  return name === undefined ? undefined : { body: FUNCTIONS[name], deployment: DEPLOYMENT };
}

const createSchema = z.looseObject({ Tags: z.array(z.object({ Key: z.string(), Value: z.string() })) });
const stepSchema = z.looseObject({
  ClusterId: z.string(),
  Step: z.looseObject({
    Name: z.string(),
    HadoopJarStep: z.looseObject({ Args: z.array(z.string()).min(1) }),
  }),
});
const terminateSchema = z.looseObject({ ClusterId: z.string() });

/** One instance on each market, for the past hour, so that computing the cost makes all its queries. */
function instancesOf({ clock }: MemoryPorts): ClusterInstance[] {
  const endedAt = clock.now();
  const startedAt = new Date(endedAt.getTime() - 3_600_000);
  const instance = { instanceType: 'm7g.xlarge', zone: 'us-east-1a', startedAt, endedAt };
  return [
    { ...instance, market: 'ON_DEMAND' },
    { ...instance, market: 'SPOT' },
  ];
}

/** EMR: clusters that start at once, and steps that write the fixture's results. */
function memoryEmr(ports: MemoryPorts) {
  return {
    create: async (parameters: Json): Promise<Json> => {
      const tags = new Map(createSchema.parse(parameters).Tags.map(({ Key, Value }) => [Key, Value]));
      const cluster = ports.clusters.start(
        tags.get(CLUSTER_TAGS.runId) ?? 'no run',
        tags.get(CLUSTER_TAGS.executionArn) ?? 'no execution',
        { instances: instancesOf(ports) },
      );
      return {
        ClusterId: cluster.clusterId,
        Cluster: { Id: cluster.clusterId, Status: { State: 'WAITING' } },
      };
    },
    addStep: async (parameters: Json): Promise<Json> => {
      const { ClusterId: clusterId, Step: step } = stepSchema.parse(parameters);
      const cluster = (await ports.clusters.living()).find((living) => living.clusterId === clusterId);
      if (cluster === undefined) {
        throw new TaskError('EMR.AmazonElasticMapReduceException', `there is no cluster ${clusterId}`);
      }
      const name = stepOfState(step.Name);
      if (name === undefined) throw new Error(`no state is named like the EMR step ${step.Name}`);
      runStep(ports, cluster.runId, name);
      return { Step: { Id: 's-1', Name: step.Name, Status: { State: 'COMPLETED' } } };
    },
    terminate: async (parameters: Json): Promise<Json> => {
      const { ClusterId: clusterId } = terminateSchema.parse(parameters);
      await ports.clusters.terminate(clusterId);
      // The state waits until the cluster is terminated.
      ports.clock.advance(ports.clusters.terminationMilliseconds);
      ports.clusters.settle();
      return { Cluster: { Id: clusterId, Status: { State: 'TERMINATED' } } };
    },
  };
}
