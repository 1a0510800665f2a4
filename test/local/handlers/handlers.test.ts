import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runSettingsSchema } from '../../../domain/run.ts';
import { systemClock } from '../../../lambda/ports/clock.ts';
import type { Ports } from '../../../lambda/ports/ports.ts';
import { PipelineError } from '../../../lambda/run/errors.ts';
import { ContentTags } from '../../../local/adapters/content-tags.ts';
import { DuckDbEngine } from '../../../local/adapters/duckdb-engine.ts';
import { FolderStore } from '../../../local/adapters/folder-store.ts';
import { LocalClusters } from '../../../local/adapters/local-clusters.ts';
import { LocalExecutions } from '../../../local/adapters/local-executions.ts';
import { localAccount, localInstanceMarket, localSpotPrices } from '../../../local/adapters/local-market.ts';
import { athena } from '../../../local/handlers/athena.ts';
import { elasticMapReduce, localArguments } from '../../../local/handlers/elasticmapreduce.ts';
import { lambda } from '../../../local/handlers/lambda.ts';
import { type Message, sns } from '../../../local/handlers/sns.ts';
import { stepFunctions } from '../../../local/handlers/step-functions.ts';
import type { TaskHandlers } from '../../../local/interpreter/task.ts';
import { LocalNotifications } from '../../../local/run/local-notifications.ts';
import type { Json } from '../../../local/template/template.ts';
import { deployed } from '../../support/fault-world.ts';
import { MemoryPorts } from '../../support/memory-ports.ts';

let folder: string;
let clusters: LocalClusters;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'handlers '));
  clusters = new LocalClusters(join(folder, 'local/clusters'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function call(handlers: TaskHandlers, kind: string, parameters: Json): Promise<Json> {
  const handler = handlers[kind];
  if (handler === undefined) throw new Error(`no handler ${kind}`);
  return handler(parameters, { stateName: 'State', signal: new AbortController().signal });
}

describe('the local handler for EMR', () => {
  const emr = (): TaskHandlers =>
    elasticMapReduce({
      lakeFolder: folder,
      clusters,
      assets: new Map(),
      onProgress: () => {},
      newRunner: () => async () => 0,
    });
  const request = {
    Name: 'churn-run-1',
    Configurations: [
      { Classification: 'spark-defaults', Properties: { 'spark.sql.adaptive.enabled': 'true' } },
      { Classification: 'spark-hive-site', Properties: { x: 'y' } },
    ],
    Tags: [
      { Key: 'churn:run-id', Value: 'run-1' },
      { Key: 'churn:execution-arn', Value: 'arn:run-1' },
    ],
  };

  it('creates a cluster with the settings of the definition, which lives until it is terminated', async () => {
    const handlers = emr();
    const { ClusterId: id } = Object(await call(handlers, 'elasticmapreduce:createCluster.sync', request));
    const settings = await readFile(join(clusters.folderOf(id), 'spark-defaults.conf'), 'utf8');
    expect(settings).toContain('spark.sql.adaptive.enabled true\n');
    expect(settings).not.toContain('x y');
    expect(await clusters.living('run-1')).toMatchObject([{ clusterId: id, executionArn: 'arn:run-1' }]);
    expect(await clusters.living('run-2')).toEqual([]);
    await call(handlers, 'elasticmapreduce:terminateCluster.sync', { ClusterId: id });
    expect(await clusters.living()).toEqual([]);
    expect(await clusters.ofRun('run-1')).toMatchObject([{ state: 'TERMINATED' }]);
    await call(handlers, 'elasticmapreduce:terminateCluster.sync', { ClusterId: id });
  });

  it('refuses a step for a terminated cluster, with the error name of Step Functions', async () => {
    const step = {
      Name: 'IngestEvents',
      HadoopJarStep: { Jar: 'command-runner.jar', Args: ['spark-submit'] },
    };
    await expect(
      call(emr(), 'elasticmapreduce:addStep.sync', { ClusterId: 'j-gone', Step: step }),
    ).rejects.toMatchObject({ name: 'EMR.AmazonElasticMapReduceException', message: /j-gone/ });
  });

  it('refuses a cluster without the tag that identifies its run', async () => {
    await expect(
      call(emr(), 'elasticmapreduce:createCluster.sync', { ...request, Tags: [] }),
    ).rejects.toThrow('churn:run-id');
  });

  it('runs the local file that would be uploaded', () => {
    const assets = new Map([['s3://assets/abc.py', '/lake/runs/1/scripts/IngestEvents.py']]);
    expect(
      localArguments(
        ['spark-submit', '--deploy-mode', 'client', 's3://assets/abc.py', '--plan', 'file:///plan.json'],
        assets,
      ),
    ).toEqual(['/lake/runs/1/scripts/IngestEvents.py', '--plan', 'file:///plan.json']);
    expect(() => localArguments(['spark-submit', 's3://elsewhere/x.py'], assets)).toThrow(
      's3://elsewhere/x.py',
    );
    expect(() => localArguments(['hive-script'], assets)).toThrow('hive-script');
  });
});

describe('the local handler for Lambda', () => {
  const ports = (): Ports => ({
    objects: new FolderStore(new ContentTags(join(folder, 'tags.json'))),
    sql: new DuckDbEngine({ folder, queriesFolder: join(folder, 'queries') }),
    clusters,
    account: localAccount,
    instanceMarket: localInstanceMarket,
    spotPrices: localSpotPrices,
    executions: new LocalExecutions(join(folder, 'executions')),
    notifications: new MemoryPorts().notifications,
    log: { warn: () => {} },
    clock: systemClock,
  });
  const deployment = {
    lakeRoot: 'file:///lake',
    database: 'churn',
    eventsRoot: 'file:///log',
    platform: 'local' as const,
    region: 'us-east-1',
    release: 'test',
    trainingRelease: 'test',
    settings: runSettingsSchema.parse({}),
    fleets: { primary: [], core: [], task: [] },
    subnetIds: [],
  };
  const invoke = (body: (input: unknown) => Promise<unknown>): Promise<Json> =>
    call(
      lambda({ ports: ports(), find: (arn) => (arn === 'arn:f' ? { body, deployment } : undefined) }),
      'lambda:invoke',
      { FunctionName: 'arn:f', Payload: { runId: 'run-1' } },
    );

  it('answers with what the function returns', async () => {
    expect(await invoke(async (input) => ({ input }))).toMatchObject({
      ExecutedVersion: '$LATEST',
      StatusCode: 200,
      Payload: { input: { runId: 'run-1' } },
    });
  });

  it('fails with the name of the error that the function throws, and its message in the cause', async () => {
    const failure = await invoke(async () => {
      throw new PipelineError('NoEventFiles', 'nothing at file:///log');
    }).catch((error: Error) => error);
    expect(failure).toMatchObject({ name: 'NoEventFiles' });
    expect(JSON.parse(Object(failure).message)).toMatchObject({
      errorType: 'NoEventFiles',
      errorMessage: 'nothing at file:///log',
    });
  });
});

describe('the local handler for Athena', () => {
  it('answers with the id of a query, or fails with the reason', async () => {
    const engine = new DuckDbEngine({ folder, queriesFolder: join(folder, 'queries') });
    const answer = await call(athena(engine), 'athena:startQueryExecution.sync', {
      QueryString: 'SELECT 2 AS two',
    });
    const { QueryExecutionId: id } = Object(answer).QueryExecution;
    expect(await engine.results(id)).toEqual([{ two: '2' }]);
    await expect(
      call(athena(engine), 'athena:startQueryExecution.sync', { QueryString: 'SELECT nothing' }),
    ).rejects.toMatchObject({ name: 'States.TaskFailed', message: /StateChangeReason/ });
  });
});

describe('the local handler for SNS', () => {
  it('passes on a message with its attributes, and refuses one without text', async () => {
    const kept: Message[] = [];
    const handlers = sns(async (message) => {
      kept.push(message);
    });
    const MessageAttributes = { runId: { DataType: 'String', StringValue: 'run-1' } };
    await call(handlers, 'sns:publish', {
      TopicArn: 'arn:t',
      Subject: 'Churn',
      Message: 'done',
      MessageAttributes,
    });
    await call(handlers, 'sns:publish', { TopicArn: 'arn:t', Message: 'again' });
    expect(kept).toEqual([
      { subject: 'Churn', text: 'done', attributes: { runId: 'run-1' } },
      { subject: '', text: 'again', attributes: {} },
    ]);
    await expect(call(handlers, 'sns:publish', { TopicArn: 'arn:t' })).rejects.toThrow('Message');
  });
});

describe('the local handler for Step Functions', () => {
  const file = (): string => join(folder, 'local/notifications.jsonl');
  const notificationsOf = (): LocalNotifications =>
    new LocalNotifications({ file: file(), notifier: deployed.notifier });
  const notifications = async (): Promise<unknown[]> =>
    (await readFile(file(), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  const start = (StateMachineArn: string, Name: string): Promise<Json> =>
    call(
      stepFunctions({ notifierArn: deployed.notifier.arn, notifications: notificationsOf() }),
      'states:startExecution',
      { StateMachineArn, Name, Input: { subject: `Of ${Name}`, text: 'done' } },
    );

  it('ignores a notification whose writing was interrupted', async () => {
    await mkdir(join(folder, 'local'), { recursive: true });
    await writeFile(file(), '{"at":"2018-\n');
    await start(deployed.notifier.arn, 'run-1');
    await expect(start(deployed.notifier.arn, 'run-1')).rejects.toThrow();
    expect((await readFile(file(), 'utf8')).trim().split('\n')).toHaveLength(2);
  });

  it('starts the notifier, but not again with a name that was used', async () => {
    expect(await start(deployed.notifier.arn, 'run-1')).toMatchObject({
      ExecutionArn: expect.stringMatching(/:execution:churn-dev-notifier:run-1$/),
    });
    await expect(start(deployed.notifier.arn, 'run-1')).rejects.toMatchObject({
      name: 'StepFunctions.ExecutionAlreadyExistsException',
    });
    await start(deployed.notifier.arn, 'run-2');
    expect(await notifications()).toMatchObject([
      { runId: 'run-1', subject: 'Of run-1', text: 'done' },
      { runId: 'run-2', subject: 'Of run-2', text: 'done' },
    ]);
  });

  it('notifies once of a run when many callers notify at the same time', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, teller) =>
        notificationsOf().notifyOnce('run-1', { subject: 'Churn', text: `by ${teller}` }),
      ),
    );
    expect(answers.filter((answer) => answer === 'notified')).toHaveLength(1);
    expect(await notifications()).toHaveLength(1);
  });

  it('starts no state machine other than the notifier', async () => {
    await expect(start(deployed.arn, 'run-1')).rejects.toMatchObject({
      name: 'StepFunctions.StateMachineDoesNotExistException',
    });
  });
});
