import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PipelineError } from '../../../lambda/errors.ts';
import { type Ports, systemClock } from '../../../lambda/ports.ts';
import { runSettingsSchema } from '../../../lib/domain/run.ts';
import { athena } from '../../../local/handlers/athena.ts';
import { elasticMapReduce, localArguments } from '../../../local/handlers/elasticmapreduce.ts';
import { lambda } from '../../../local/handlers/lambda.ts';
import { sns } from '../../../local/handlers/sns.ts';
import type { TaskHandlers } from '../../../local/interpreter/task.ts';
import { ContentTags } from '../../../local/ports/content-tags.ts';
import { DuckDbEngine } from '../../../local/ports/duckdb-engine.ts';
import { FileNotifications } from '../../../local/ports/file-notifications.ts';
import { FolderStore } from '../../../local/ports/folder-store.ts';
import { LocalClusters } from '../../../local/ports/local-clusters.ts';
import { LocalExecutions } from '../../../local/ports/local-executions.ts';
import { localInstanceMarket, localSpotPrices } from '../../../local/ports/local-market.ts';
import type { Json } from '../../../local/template/intrinsics.ts';

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

describe('EMR on this machine', () => {
  const emr = (): TaskHandlers =>
    elasticMapReduce({ lakeFolder: folder, clusters, assets: new Map(), onProgress: () => {} });
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

  it('makes a cluster with the settings of the definition, which lives until it is terminated', async () => {
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

  it('refuses a step for a cluster that has ended, under the name that Step Functions gives it', async () => {
    const step = {
      Name: 'IngestEvents',
      HadoopJarStep: { Jar: 'command-runner.jar', Args: ['spark-submit'] },
    };
    await expect(
      call(emr(), 'elasticmapreduce:addStep.sync', { ClusterId: 'j-gone', Step: step }),
    ).rejects.toMatchObject({ name: 'EMR.AmazonElasticMapReduceException', message: /j-gone/ });
  });

  it('refuses a cluster whose run could not be found again', async () => {
    await expect(
      call(emr(), 'elasticmapreduce:createCluster.sync', { ...request, Tags: [] }),
    ).rejects.toThrow('churn:run-id');
  });

  it('runs the file that would be uploaded, here', () => {
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

describe('Lambda on this machine', () => {
  const ports = (): Ports => ({
    objects: new FolderStore(new ContentTags(join(folder, 'tags.json'))),
    sql: new DuckDbEngine({ folder, queriesFolder: join(folder, 'queries') }),
    clusters,
    instanceMarket: localInstanceMarket,
    spotPrices: localSpotPrices,
    executions: new LocalExecutions(join(folder, 'executions')),
    notifications: new FileNotifications(join(folder, 'notifications.jsonl')),
    log: { warn: () => {} },
    clock: systemClock,
  });
  const context = {
    lakeRoot: 'file:///lake',
    eventsRoot: 'file:///log',
    platform: 'local' as const,
    region: 'us-east-1',
    settings: runSettingsSchema.parse({}),
    fleets: { primary: [], core: [], task: [] },
    subnetIds: [],
  };
  const invoke = (body: (input: unknown) => Promise<unknown>): Promise<Json> =>
    call(
      lambda({ ports: ports(), find: (arn) => (arn === 'arn:f' ? { body, context } : undefined) }),
      'lambda:invoke',
      { FunctionName: 'arn:f', Payload: { runId: 'run-1' } },
    );

  it('answers with what the function returns', async () => {
    expect(await invoke(async (input) => ({ input }))).toMatchObject({
      StatusCode: 200,
      Payload: { input: { runId: 'run-1' } },
    });
  });

  it('fails with the name of what the function throws, and its message in the cause', async () => {
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

describe('Athena and SNS on this machine', () => {
  it('answer a query by its id, or fail with its reason', async () => {
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

  it('keep every notification, and refuse a message without text', async () => {
    const notifications = new FileNotifications(join(folder, 'local/notifications.jsonl'));
    const handlers = sns(notifications);
    await call(handlers, 'sns:publish', { TopicArn: 'arn:t', Subject: 'Churn', Message: 'done' });
    await call(handlers, 'sns:publish', { TopicArn: 'arn:t', Message: 'again' });
    expect(notifications.published).toEqual([
      { subject: 'Churn', text: 'done' },
      { subject: '', text: 'again' },
    ]);
    const lines = (await readFile(join(folder, 'local/notifications.jsonl'), 'utf8')).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).text)).toEqual(['done', 'again']);
    await expect(call(handlers, 'sns:publish', { TopicArn: 'arn:t' })).rejects.toThrow('Message');
  });
});
