import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { emulatedAthena } from './athena.ts';
import { callJson } from './aws-request.ts';
import { type EmulatedEmr, emulatedEmr } from './emr.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { emulatedStepFunctions } from './step-functions.ts';

const FLEETS = [
  {
    InstanceFleetType: 'CORE',
    TargetOnDemandCapacity: 2,
    InstanceTypeConfigs: [{ InstanceType: 'm7g.xlarge' }],
  },
];
const CLUSTER = {
  Name: 'churn-dev-first',
  Tags: [{ Key: 'churn:pipeline', Value: 'churn-dev' }],
  Configurations: [],
  Instances: { KeepJobFlowAliveWhenNoSteps: true, InstanceFleets: FLEETS },
};
const step = (...args: readonly string[]) => ({
  Name: 'IngestEvents',
  HadoopJarStep: { Jar: 'command-runner.jar', Args: [...args] },
});

let moto: Server;
let gateway: Gateway;
let emr: EmulatedEmr;

beforeAll(async () => {
  moto = createServer((request, response) => {
    response.setHeader('x-amz-server-side-encryption', 'aws:kms');
    response.setHeader('x-length', request.headers['content-length'] ?? 'none');
    response.end(request.method === 'HEAD' ? undefined : 'an object');
  });
  moto.listen(0, '127.0.0.1');
  await once(moto, 'listening');
  const address = moto.address();
  emr = emulatedEmr(async () => ({
    run: async (_name, [script]) => ({ exitCode: script === 'fails' ? 1 : 0 }),
    stop: async () => undefined,
  }));
  gateway = await startGateway({
    region: 'us-east-1',
    roles: ['Reader'],
    moto: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    services: { elasticmapreduce: emr.service },
  });
});

afterAll(async () => {
  await gateway.stop();
  moto.close();
});

/** Signed as S3 requests are. */
function fetchObject(method: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const key = gateway.environmentOf('Reader').AWS_ACCESS_KEY_ID;
  const authorization = `AWS4-HMAC-SHA256 Credential=${key}/20260101/us-east-1/s3/aws4_request, SignedHeaders=host`;
  return fetch(`${gateway.endpoint}/lake/a?x=1`, { method, headers: { authorization, ...headers } });
}

describe('the gateway', () => {
  test('passes requests on and logs them with the role that signed them', async () => {
    const answer = await fetchObject('GET');
    expect(await answer.text()).toBe('an object');
    expect(gateway.calls.at(-1)).toMatchObject({
      role: 'Reader',
      service: 's3',
      method: 'GET',
      path: '/lake/a',
      query: { x: '1' },
      body: '',
      status: 200,
    });
  });

  test('hides the key of an object from the SDK that cannot copy with it', async () => {
    const shown = await fetchObject('HEAD', { 'user-agent': 'aws-sdk-js/3' });
    expect(shown.headers.get('x-amz-server-side-encryption')).toBe('aws:kms');
    const hidden = await fetchObject('HEAD', { 'user-agent': 'Hadoop 3.3.4, aws-sdk-java/1.12.262' });
    expect(hidden.headers.get('x-amz-server-side-encryption')).toBeNull();
  });

  test('answers for the services that are emulated, with their errors', async () => {
    const environment = gateway.environmentOf('Reader');
    await expect(
      callJson(environment, 'elasticmapreduce', 'DescribeCluster', { ClusterId: 'j-0' }),
    ).rejects.toThrow("Cluster id 'j-0' is not valid.");
    expect(gateway.calls.at(-1)).toMatchObject({ service: 'elasticmapreduce', status: 400 });
  });
});

describe('the emulated EMR', () => {
  const stateOf = async (id: string): Promise<string> => {
    const answer = JSON.stringify(await emr.service('DescribeCluster', { ClusterId: id }));
    return /"State":"(\w+)"/.exec(answer)?.[1] ?? '';
  };

  test('starts a cluster, runs its steps, and terminates it when it may', async () => {
    const { JobFlowId: id } = Object(await emr.service('RunJobFlow', CLUSTER));
    await expect.poll(() => stateOf(id)).toBe('WAITING');
    await emr.service('AddJobFlowSteps', { JobFlowId: id, Steps: [step('works')] });
    await emr.service('AddJobFlowSteps', { JobFlowId: id, Steps: [step('fails')] });
    await expect
      .poll(async () =>
        JSON.stringify(await emr.service('ListSteps', { ClusterId: id, StepStates: ['FAILED'] })),
      )
      .toContain('exit code 1');
    const release = emr.holdTerminations();
    await emr.service('TerminateJobFlows', { JobFlowIds: [id] });
    expect(await stateOf(id)).toBe('TERMINATING');
    release();
    await expect.poll(() => stateOf(id)).toBe('TERMINATED');
    await expect(emr.service('AddJobFlowSteps', { JobFlowId: id, Steps: [step('works')] })).rejects.toThrow(
      'may not receive steps',
    );
    const { Instances: instances } = Object(await emr.service('ListInstances', { ClusterId: id }));
    expect(instances).toHaveLength(2);
    expect(emr.tagsOf(id)).toEqual({ 'churn:pipeline': 'churn-dev' });
  });
});

test('the emulated Step Functions starts no second execution of a name', async () => {
  const { service, settled } = emulatedStepFunctions(async () => 'SUCCEEDED');
  const start = { stateMachineArn: 'arn:aws:states:us-east-1:1:stateMachine:n', name: 'first', input: '{}' };
  const { executionArn } = Object(await service('StartExecution', start));
  await expect(service('StartExecution', start)).rejects.toThrow('Execution Already Exists');
  await settled();
  expect(await service('DescribeExecution', { executionArn })).toMatchObject({ status: 'SUCCEEDED' });
  expect(await service('ListExecutions', { ...start, statusFilter: 'FAILED' })).toEqual({ executions: [] });
});

test('the emulated Step Functions knows when the states of an execution began and ended', async () => {
  const { service, begin } = emulatedStepFunctions(async () => 'SUCCEEDED');
  const { arn: executionArn, events } = begin('arn:aws:states:us-east-1:1:stateMachine:n', 'first');
  const at = new Date('2018-12-04T06:00:00Z');
  events.push(
    { kind: 'entered', state: 'PlanRun', stateType: 'Task', at },
    { kind: 'failed', state: 'PlanRun', stateType: 'Task', at, error: 'States.Timeout' },
    { kind: 'exited', state: 'PlanRun', stateType: 'Task', at },
  );
  const timestamp = at.getTime() / 1_000;
  expect(await service('GetExecutionHistory', { executionArn })).toEqual({
    events: [
      {
        ...{ id: 1, previousEventId: 0, type: 'TaskStateEntered', timestamp },
        stateEnteredEventDetails: { name: 'PlanRun' },
      },
      {
        ...{ id: 3, previousEventId: 2, type: 'TaskStateExited', timestamp },
        stateExitedEventDetails: { name: 'PlanRun' },
      },
    ],
  });
});

test('the emulated Athena stores the answer of a query, and passes its failure on', async () => {
  const kept: string[] = [];
  const service = emulatedAthena(
    async (sql) => {
      if (sql === 'fails') throw new Error('no such table');
      return { columns: ['a', 'b'], rows: [['x"y', null]] };
    },
    async (_id, csv) => {
      kept.push(csv);
    },
  );
  const start = async (QueryString: string): Promise<string> => {
    const request = { QueryString, WorkGroup: 'w', QueryExecutionContext: { Database: 'churn' } };
    return Object(await service('StartQueryExecution', request)).QueryExecutionId;
  };
  const stateOf = async (id: string): Promise<string> =>
    JSON.stringify(await service('GetQueryExecution', { QueryExecutionId: id }));
  const works = await start('works');
  await expect.poll(() => stateOf(works)).toContain('SUCCEEDED');
  expect(kept).toEqual(['"a","b"\n"x""y",\n']);
  const fails = await start('fails');
  await expect.poll(() => stateOf(fails)).toContain('no such table');
});
