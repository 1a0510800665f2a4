/**
 * Deploys the app with the real CDK command line to an emulator, runs the Lambdas' bundled code against the emulated S3,
 * EMR, Athena and Step Functions, and destroys everything. The emulator does not run state machines: test/local does.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AthenaClient, StartQueryExecutionCommand } from '@aws-sdk/client-athena';
import {
  DeleteRouteTableCommand,
  DescribeRouteTablesCommand,
  DisassociateRouteTableCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { DescribeClusterCommand, EMRClient, RunJobFlowCommand } from '@aws-sdk/client-emr';
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CLOSED, CURRENT, PLAN, REPORT, RUN_RECORD, TRAINING_DECISION } from '../../domain/lake-objects.ts';
import { CLUSTER_TAGS, ENVIRONMENT, FUNCTION_NAMES, type FunctionName } from '../../domain/operations.ts';
import { SERVICE_LINKED_ROLES } from '../../domain/preflight.ts';
import { runRecordSchema } from '../../domain/records.ts';
import { buildApp, type ChurnApp } from '../../lib/app.ts';
import { projectRoot } from '../../setup/environment.mjs';
import { MemoryPorts } from '../support/memory-ports.ts';
import { at, runSteps } from '../support/run-fixture.ts';
import { bundleOf, type DeployedLambda, deployedEnvironment, invoke } from './deployed-lambdas.ts';
import { ACCOUNT, type Emulator, REGION, startEmulator } from './emulator.ts';

let emulator: Emulator;
let churn: ChurnApp;
let assembly: string;
let s3: S3Client;
let emr: EMRClient;
let lakeRoot: string;
const lambdas = new Map<FunctionName, DeployedLambda>();

const arn = (runId: string): string =>
  `arn:aws:states:${REGION}:${ACCOUNT}:execution:${churn.configuration.prefix}:${runId}`;

function client() {
  return {
    endpoint: emulator.endpoint,
    region: REGION,
    credentials: { accessKeyId: 'testing', secretAccessKey: 'testing' },
  };
}

async function cdk(...args: readonly string[]): Promise<string> {
  const { all } = await execa('cdk', [...args, '--app', assembly, '--no-notices', '--no-version-reporting'], {
    cwd: projectRoot,
    preferLocal: true,
    env: { ...emulator.environment, CI: 'true' },
    all: true,
  });
  return all;
}

/** @param environment added to the function's deployed environment, or overriding it */
async function call(
  name: FunctionName,
  event: unknown,
  environment: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const lambda = lambdas.get(name);
  if (lambda === undefined) throw new Error(`${name} was not deployed`);
  const deployed = { ...lambda, environment: { ...lambda.environment, ...environment } };
  const { output, error } = await invoke(deployed, emulator, event);
  if (error !== undefined) throw new Error(`${error.name}: ${error.message}`);
  return output;
}

function bucketOf(uri: string): { Bucket: string; Key: string } {
  const [, Bucket = '', Key = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(uri) ?? [];
  return { Bucket, Key };
}

async function put(uri: string, Body: string): Promise<void> {
  await s3.send(new PutObjectCommand({ ...bucketOf(uri), Body }));
}

async function read(uri: string): Promise<string> {
  const object = await s3.send(new GetObjectCommand(bucketOf(uri)));
  return (await object.Body?.transformToString()) ?? '';
}

beforeAll(async () => {
  emulator = await startEmulator();
  mkdirSync(join(projectRoot, 'cdk.out'), { recursive: true });
  assembly = mkdtempSync(join(projectRoot, 'cdk.out', 'deploy-'));
  churn = buildApp({
    outdir: assembly,
    context: {
      'churn:account': ACCOUNT,
      'churn:region': REGION,
      // The Lambdas are bundled; the cluster's Python packages would take minutes and are not needed here.
      'aws:cdk:bundling-stacks': ['churn-dev-pipeline'],
    },
  });
  for (const { templateFullPath } of churn.app.synth().stacks) leaveOutKeyTags(templateFullPath);
  s3 = new S3Client({ ...client(), forcePathStyle: true });
  emr = new EMRClient(client());
  await cdk('bootstrap', `aws://${ACCOUNT}/${REGION}`);
  // The emulator loses the outputs of a stack that was created with a change set.
  await cdk('deploy', '--all', '--method', 'direct', '--require-approval', 'never');
  for (const name of FUNCTION_NAMES) {
    const functionName = `${churn.configuration.prefix}-${name}`;
    const environment = await deployedEnvironment(emulator, functionName);
    lambdas.set(name, {
      name,
      environment,
      bundle: bundleOf(assembly, churn.stacks.pipeline.stackName, functionName),
    });
  }
  lakeRoot = lambdas.get('start-training')?.environment[ENVIRONMENT.lakeRoot] ?? '';
});

afterAll(async () => {
  await emulator?.stop();
  if (assembly !== undefined) rmSync(assembly, { recursive: true, force: true });
});

describe('the deployed Lambdas', () => {
  test('start-training refuses an account in which EMR lacks its role, until the role exists', async () => {
    const eventsRoot = lambdas.get('start-training')?.environment[ENVIRONMENT.eventsRoot] ?? '';
    await put(`${eventsRoot}/2018-10-01.json`, '{"ts": 1538352117000}\n');
    const startedAt = new Date().toISOString();
    const event = { runId: 'unready', executionArn: arn('unready'), startedAt, request: {} };
    await expect(call('start-training', event)).rejects.toThrow(
      /AccountNotReady: [\s\S]*AWSServiceRoleForEMRCleanup[\s\S]*create-service-linked-role/,
    );
    await createServiceLinkedRoles();
  });

  test('start-training plans a run, and refuses a second one while it is in progress', async () => {
    const eventsRoot = lambdas.get('start-training')?.environment[ENVIRONMENT.eventsRoot] ?? '';
    await put(`${eventsRoot}/2018-10-01.json`, '{"ts": 1538352117000}\n');
    const event = (runId: string) => ({
      runId,
      executionArn: arn(runId),
      startedAt: new Date().toISOString(),
      request: {},
    });
    expect(await call('start-training', event('first'))).toMatchObject({
      decision: 'run',
      runId: 'first',
      planUri: `${lakeRoot}/${PLAN.of('first').key}`,
      cluster: { coreUnits: expect.any(Number) },
    });
    expect(JSON.parse(await read(`${lakeRoot}/${PLAN.of('first').key}`)).batch.files).toHaveLength(1);
    expect(await call('start-training', event('second'))).toMatchObject({
      decision: 'refused',
      reason: expect.stringContaining('first'),
    });
  });

  test('start-training refuses instance types that the Region does not sell', async () => {
    const fleets = { primary: ['m7g.xlarge'], core: ['m7g.xlarge'], task: ['m99g.xlarge'] };
    const startedAt = new Date().toISOString();
    const event = { runId: 'unsold', executionArn: arn('unsold'), startedAt, request: {} };
    await expect(
      call('start-training', event, { [ENVIRONMENT.fleets]: JSON.stringify(fleets) }),
    ).rejects.toThrow(/InvalidConfiguration: [\s\S]*m99g\.xlarge is not sold in us-east-1/);
  });

  test('decide-training, choose-model, store-metrics and render-report make the run current, from Athena’s answer', async () => {
    // The results that the steps of this plan would write, made in memory and copied over.
    const memory = new MemoryPorts();
    memory.objects.put(at(PLAN.of('first').key), await read(`${lakeRoot}/${PLAN.of('first').key}`));
    runSteps(memory, 'first');
    await memory.objects.remove(`${lakeRoot}/${TRAINING_DECISION.of('first').key}`);
    for (const uri of memory.objects.uris().filter((each) => each.startsWith(`${lakeRoot}/`))) {
      await put(uri, memory.objects.text(uri) ?? '');
    }
    const queryExecutionId = await answerInAthena(memory.sql.answers.get('first') ?? []);
    const event = { runId: 'first', executionArn: arn('first') };
    const planUri = `${lakeRoot}/${PLAN.of('first').key}`;
    const decision = { decision: 'train', reason: 'nothing is remembered of an earlier training' };
    expect(await call('decide-training', { ...event, planUri })).toEqual(decision);
    expect(JSON.parse(await read(`${lakeRoot}/${TRAINING_DECISION.of('first').key}`))).toEqual(decision);
    expect(await call('choose-model', { ...event, planUri })).toMatchObject({
      scores: 'the model of run first',
    });
    expect(
      await call('store-metrics', { ...event, planUri, reconcileQueryExecutionId: queryExecutionId }),
    ).toMatchObject({
      summary: expect.stringContaining('first'),
    });
    expect(JSON.parse(await read(`${lakeRoot}/${CURRENT.key}`))).toMatchObject({ runId: 'first' });
    expect(await call('render-report', event)).toMatchObject({
      reportUri: `${lakeRoot}/${REPORT.of('first').key}`,
      link: expect.stringMatching(/^https:\/\/us-east-1\.console\.aws\.amazon\.com\/s3\/object\//),
    });
    expect(await read(`${lakeRoot}/${REPORT.of('first').key}`)).toMatch(/^<!doctype html>/i);
  });

  test('close-run terminates the cluster of a failed run, records the run and releases the lease', async () => {
    const eventsRoot = lambdas.get('start-training')?.environment[ENVIRONMENT.eventsRoot] ?? '';
    await put(`${eventsRoot}/2018-10-02.json`, '{"ts": 1538438517000}\n');
    const startedAt = new Date().toISOString();
    const run = { runId: 'third', executionArn: arn('third'), startedAt };
    expect(await call('start-training', { ...run, request: {} })).toMatchObject({ decision: 'run' });
    const clusterId = await startCluster('third');
    const failure = { Error: 'States.TaskFailed', Cause: 'the step IngestEvents failed' };
    expect(await call('close-run', { ...run, failure })).toMatchObject({
      Error: expect.any(String),
      Cause: expect.any(String),
    });
    const { Cluster } = await emr.send(new DescribeClusterCommand({ ClusterId: clusterId }));
    expect(Cluster?.Status?.State).toMatch(/^TERMINAT/);
    const record = runRecordSchema.parse(JSON.parse(await read(`${lakeRoot}/${RUN_RECORD.of('third').key}`)));
    expect(record).toMatchObject({ run_id: 'third', status: 'FAILED' });
    expect(await noticeOf('third')).toMatchObject({ subject: expect.stringContaining('run failed') });
    // Closing it again finds the execution's name used, even without the marker.
    await s3.send(new DeleteObjectCommand(bucketOf(`${lakeRoot}/${CLOSED.of('third').key}`)));
    expect(await call('close-run', { ...run, failure })).toMatchObject({ Error: expect.any(String) });
    expect(
      await call('start-training', { ...run, runId: 'fourth', executionArn: arn('fourth'), request: {} }),
    ).toMatchObject({
      decision: 'run',
    });
  });
});

test('cdk destroy removes everything except the data', async () => {
  await removeRouteTables();
  await cdk('destroy', '--all', '--force');
  for (const stack of Object.values(churn.stacks)) {
    expect(await stackStatus(stack.stackName)).toBe('gone');
  }
  expect(await read(`${lakeRoot}/${CURRENT.key}`)).toContain('first');
});

/** The notifier's input for a run. */
async function noticeOf(runId: string): Promise<unknown> {
  const notifierArn = lambdas.get('close-run')?.environment[ENVIRONMENT.notifierArn] ?? '';
  const executionArn = `${notifierArn.replace(':stateMachine:', ':execution:')}:${runId}`;
  const { input } = await new SFNClient(client()).send(new DescribeExecutionCommand({ executionArn }));
  return JSON.parse(input ?? '');
}

/** The emulator does not delete route tables with their stack and then cannot delete the VPC. */
async function removeRouteTables(): Promise<void> {
  const ec2 = new EC2Client(client());
  const { RouteTables: tables = [] } = await ec2.send(new DescribeRouteTablesCommand({}));
  for (const { RouteTableId, Associations = [] } of tables) {
    if (Associations.some(({ Main }) => Main)) continue;
    for (const { RouteTableAssociationId: AssociationId } of Associations) {
      await ec2.send(new DisassociateRouteTableCommand({ AssociationId }));
    }
    await ec2.send(new DeleteRouteTableCommand({ RouteTableId }));
  }
}

/** The emulator fails on the tags of a key. */
function leaveOutKeyTags(templateFile: string): void {
  const template = JSON.parse(readFileSync(templateFile, 'utf8'), (_, value) => {
    if (value?.Type !== 'AWS::KMS::Key') return value;
    const { Tags, ...properties } = value.Properties;
    return { ...value, Properties: properties };
  });
  writeFileSync(templateFile, JSON.stringify(template));
}

/** Sets the emulated Athena's answer to the next query, and starts a query. */
async function answerInAthena(rows: readonly Readonly<Record<string, string | null>>[]): Promise<string> {
  const columns = Object.keys(rows[0] ?? {});
  const results = {
    rows: [columns, ...rows.map((row) => Object.values(row))].map((values) => ({
      Data: values.map((value) => (value === null ? {} : { VarCharValue: value })),
    })),
    column_info: columns.map((name) => ({
      CatalogName: 'hive',
      Name: name,
      Type: 'varchar',
      Nullable: 'UNKNOWN',
    })),
  };
  await fetch(`${emulator.endpoint}/moto-api/static/athena/query-results`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ account_id: ACCOUNT, region: REGION, results: [results] }),
  });
  const athena = new AthenaClient(client());
  const { QueryExecutionId } = await athena.send(
    new StartQueryExecutionCommand({
      QueryString: 'SELECT 1',
      ResultConfiguration: { OutputLocation: `${lakeRoot}/athena/` },
    }),
  );
  return QueryExecutionId ?? '';
}

async function startCluster(runId: string): Promise<string> {
  const { JobFlowId } = await emr.send(
    new RunJobFlowCommand({
      Name: `${churn.configuration.prefix}-${runId}`,
      ReleaseLabel: 'emr-7.13.0',
      Instances: {
        KeepJobFlowAliveWhenNoSteps: true,
        MasterInstanceType: 'm7g.xlarge',
        SlaveInstanceType: 'm7g.xlarge',
        InstanceCount: 2,
      },
      JobFlowRole: 'role',
      ServiceRole: 'role',
      Tags: [
        { Key: CLUSTER_TAGS.pipeline, Value: churn.configuration.prefix },
        { Key: CLUSTER_TAGS.runId, Value: runId },
        { Key: CLUSTER_TAGS.executionArn, Value: arn(runId) },
      ],
    }),
  );
  return JobFlowId ?? '';
}

/** The emulator gives service-linked roles other names than AWS, so they are created by name. */
async function createServiceLinkedRoles(): Promise<void> {
  const iam = new IAMClient(client());
  for (const { name, service } of SERVICE_LINKED_ROLES) {
    const Statement = [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }];
    await iam.send(
      new CreateRoleCommand({
        RoleName: name,
        Path: `/aws-service-role/${service}/`,
        AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement }),
      }),
    );
  }
}

/** The emulator finds a stack by its name only while it exists. */
async function stackStatus(stackName: string): Promise<string> {
  const answer = await fetch(`${emulator.endpoint}/`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/x-www-form-urlencoded',
      Authorization: `AWS4-HMAC-SHA256 Credential=testing/20260101/${REGION}/cloudformation/aws4_request`,
    },
    body: new URLSearchParams({ Action: 'DescribeStacks', Version: '2010-05-15', StackName: stackName }),
  });
  const text = await answer.text();
  return answer.ok ? (/<StackStatus>(\w+)</.exec(text)?.[1] ?? 'unknown') : 'gone';
}
