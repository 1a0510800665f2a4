/** A deployment in an emulated account: its state machine is interpreted, its clusters run on this machine. */
import { appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { PLAN } from '../../domain/lake-objects.ts';
import { ENVIRONMENT, type FunctionName } from '../../domain/operations.ts';
import type { RunRequest } from '../../domain/run.ts';
import { type Ending, type StateEvent, startExecution } from '../../local/interpreter/interpreter.ts';
import type { Json } from '../../local/template/template.ts';
import { ACCOUNT, REGION, startEmulator } from '../deploy/emulator.ts';
import { createResources, s3Client } from './cloud/account.ts';
import { emulatedAthena, type QueryEngine } from './cloud/athena.ts';
import type { AwsEnvironment } from './cloud/aws-request.ts';
import { type Deployment, synthesizeDeployment } from './cloud/deployment.ts';
import { type EmulatedEmr, emulatedEmr } from './cloud/emr.ts';
import { type Gateway, startGateway } from './cloud/gateway.ts';
import { glueEngine } from './cloud/glue-engine.ts';
import { keepAccount } from './cloud/kept-account.ts';
import { createSubnets } from './cloud/network.ts';
import { emulatedStepFunctions } from './cloud/step-functions.ts';
import { callLambda, notifierTasks, pipelineTasks } from './cloud/task-handlers.ts';
import { type StartedCluster, yarnClusters } from './cloud/yarn-cluster.ts';
import { keepsFolders } from './folder.ts';
import type { JudgedWorld } from './judge/needs.ts';
import { BOOSTING_WORKERS } from './overrides.ts';
import { overridePlan } from './plan-overrides.ts';

/** Folder of a kept rehearsal with its buckets and tables. */
export const KEPT_ACCOUNT = 'account';

export interface Rehearsal {
  readonly deployment: Deployment;
  readonly gateway: Gateway;
  readonly emr: EmulatedEmr;
  /** The account itself, past the gateway: for the test's own preparations and questions. */
  readonly account: AwsEnvironment;
  readonly s3: S3Client;
  /** `s3://bucket` and `s3://bucket/folder`. */
  readonly lakeRoot: string;
  readonly eventsRoot: string;
  /** Glue database of the tables. */
  readonly database: string;
  /** What the judge needs to know. */
  readonly world: JudgedWorld;
  /** In the order in which they were started. */
  readonly clusters: readonly StartedCluster[];
  /** Interprets the state machine to its end; the signal stops it as StopExecution does. */
  readonly run: (
    runId: string,
    request: RunRequest,
    onEvent?: (event: StateEvent) => void,
    signal?: AbortSignal,
  ) => Promise<Ending>;
  /** Calls a Lambda outside a run, as an event rule does. */
  readonly call: (name: FunctionName, event: Json) => Promise<unknown>;
  readonly stop: () => Promise<void>;
}

export interface RehearsalOptions {
  /**
   * Answers Athena's queries.
   * @default DuckDB over Glue's tables
   */
  readonly engine?: (environment: AwsEnvironment) => QueryEngine;
  /** @default BOOSTING_WORKERS */
  readonly boostingWorkers?: number;
}

/** @param folder for the files of the clusters */
export async function startRehearsal(
  folder: string,
  { engine = glueEngine, boostingWorkers = BOOSTING_WORKERS }: RehearsalOptions = {},
): Promise<Rehearsal> {
  await mkdir(folder, { recursive: true });
  const moto = await startEmulator();
  const account = { ...moto.environment };
  const deployment = synthesizeDeployment({ account: ACCOUNT, region: REGION }, await createSubnets(account));
  const { definition, machineRoles, policies } = deployment;
  const roleArns = await createResources(account, deployment);
  const pipelineRole = machineRoles.get(definition.name) ?? '';
  const notifierRole = machineRoles.get(definition.notifier.name) ?? '';
  const clusters: StartedCluster[] = [];
  const timeline: Promise<void>[] = [];
  const s3 = s3Client(account);
  const environmentOf = (role: string): AwsEnvironment => gateway.environmentOf(role);

  const emr = emulatedEmr((id, configurations) =>
    yarnClusters(folder, environmentOf(instanceRole(deployment)), (cluster) => clusters.push(cluster))(
      id,
      configurations,
    ),
  );
  const athena = emulatedAthena(
    (sql, database) => engine(environmentOf(pipelineRole))(sql, database),
    async (id, Body) => {
      const results = s3Client(environmentOf(pipelineRole));
      await results.send(new PutObjectCommand({ Bucket: deployment.resultsBucket, Key: `${id}.csv`, Body }));
    },
  );
  const stepFunctions = emulatedStepFunctions(async (arn, name, input) => {
    const { notifier } = definition;
    if (arn !== notifier.arn)
      throw new Error(`nothing but the notifier is started by another service, not ${arn}`);
    const execution = startExecution({
      definition: notifier.states,
      input,
      execution: { arn: `${arn.replace(':stateMachine:', ':execution:')}:${name}`, name },
      stateMachine: { arn, name: notifier.name },
      handlers: notifierTasks(environmentOf(notifierRole)),
    });
    return (await execution.ended).status;
  });
  const gateway = await startGateway({
    region: REGION,
    roles: policies.keys(),
    moto: moto.endpoint,
    services: { elasticmapreduce: emr.service, athena, states: stepFunctions.service },
  });
  const environment = deployment.environment('start-training');
  const lakeRoot = environment[ENVIRONMENT.lakeRoot] ?? '';
  const lakeBucket = lakeRoot.replace('s3://', '');

  return {
    deployment,
    gateway,
    emr,
    account,
    s3,
    lakeRoot,
    eventsRoot: environment[ENVIRONMENT.eventsRoot] ?? '',
    database: environment[ENVIRONMENT.database] ?? '',
    world: {
      account: ACCOUNT,
      region: REGION,
      keyOfBucket: (bucket) => deployment.buckets.find(({ name }) => name === bucket)?.keyArn,
      topicKeyArn: deployment.topicKeyArn,
      resultsBucket: deployment.resultsBucket,
      workgroup: deployment.workgroup,
      clusterTags: emr.tagsOf,
      roleArns,
    },
    clusters,
    async run(runId, request, onEvent, signal) {
      const execution = stepFunctions.begin(definition.arn, runId);
      const interpreted = startExecution({
        definition: definition.states,
        input: JSON.parse(JSON.stringify(request)),
        execution: { arn: execution.arn, name: runId },
        stateMachine: { arn: definition.arn, name: definition.name },
        handlers: pipelineTasks({
          gateway,
          role: pipelineRole,
          lambdas: deployment.lambdas,
          onAnswer: (name) =>
            name === 'start-training'
              ? overrideStoredPlan(s3, lakeBucket, runId, boostingWorkers)
              : Promise.resolve(),
        }),
        onEvent: (event) => {
          timeline.push(appendFile(join(folder, 'states.txt'), timelineLine(runId, event)));
          execution.events.push(event);
          onEvent?.(event);
        },
      });
      signal?.addEventListener('abort', interpreted.abort, { once: true });
      const ending = await interpreted.ended;
      await Promise.all(timeline.splice(0));
      execution.status = ending.status;
      await stepFunctions.settled();
      return ending;
    },
    async call(name, event) {
      const lambda = [...deployment.lambdas.values()].find((each) => each.name === name);
      if (lambda === undefined) throw new Error(`the app has no function ${name}`);
      const { output, error } = await callLambda(lambda, gateway, event);
      if (error !== undefined) throw new Error(`${error.name}: ${error.message}`);
      return output;
    },
    async stop() {
      await emr.stop();
      if (keepsFolders()) {
        await keepAccount(account, environment[ENVIRONMENT.database] ?? '', join(folder, KEPT_ACCOUNT));
      }
      await writeFile(join(folder, 'calls.json'), JSON.stringify(gateway.calls));
      await gateway.stop();
      await moto.stop();
      deployment.remove();
    },
  };
}

/** What `states.txt` keeps of an event, to see how far a rehearsal is and how long each state takes. */
function timelineLine(runId: string, { at, kind, state, error }: StateEvent): string {
  return `${[at.toISOString(), runId, state, kind, error ?? ''].join(' ').trimEnd()}\n`;
}

/** The role of the cluster's instances, which CreateCluster names. */
function instanceRole({ definition, policies }: Deployment): string {
  const [, name = ''] = /"JobFlowRole":"([^"]+)"/.exec(JSON.stringify(definition.states)) ?? [];
  if (!policies.has(name)) throw new Error(`the role ${name} of the instances is not in the templates`);
  return name;
}

/** Overrides the plan that PlanRun has written, before a step reads it. */
async function overrideStoredPlan(
  s3: S3Client,
  Bucket: string,
  runId: string,
  boostingWorkers: number,
): Promise<void> {
  const address = { Bucket, Key: PLAN.of(runId).key };
  const object = await s3.send(new GetObjectCommand(address)).catch(() => undefined);
  // Without a plan there is nothing to do.
  if (object === undefined) return;
  const Body = overridePlan((await object.Body?.transformToString()) ?? '', boostingWorkers);
  await s3.send(new PutObjectCommand({ ...address, Body }));
}

/** Uploads a folder's files below a URI. */
export async function upload(s3: S3Client, folder: string, root: string): Promise<void> {
  const [, Bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/(.+)$/.exec(root) ?? [];
  for (const name of await readdir(folder)) {
    const Body = await readFile(join(folder, name));
    await s3.send(new PutObjectCommand({ Bucket, Key: `${prefix}/${name}`, Body }));
  }
}
