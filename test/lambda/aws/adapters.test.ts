import { once } from 'node:events';
import { createServer } from 'node:http';
import { AthenaClient, GetQueryResultsCommand } from '@aws-sdk/client-athena';
import {
  DescribeInstanceTypeOfferingsCommand,
  DescribeSpotPriceHistoryCommand,
  DescribeSubnetsCommand,
  EC2Client,
  EC2ServiceException,
} from '@aws-sdk/client-ec2';
import {
  DescribeClusterCommand,
  EMRClient,
  ListClustersCommand,
  ListInstancesCommand,
  ListStepsCommand,
} from '@aws-sdk/client-emr';
import { ListObjectsV2Command, PutObjectCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import {
  ExecutionAlreadyExists,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  SFNClient,
  StartExecutionCommand,
  StateMachineDoesNotExist,
} from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { CLUSTER_TAGS } from '../../../domain/operations.ts';
import { noticeSchema } from '../../../domain/run.ts';
import { awsPorts } from '../../../lambda/aws/adapters.ts';
import { AthenaSql } from '../../../lambda/aws/athena-sql.ts';
import { Ec2InstanceMarket } from '../../../lambda/aws/ec2-instance-market.ts';
import { Ec2SpotPrices } from '../../../lambda/aws/ec2-spot-prices.ts';
import { EmrClusters } from '../../../lambda/aws/emr-clusters.ts';
import { S3Objects } from '../../../lambda/aws/s3-objects.ts';
import { StepFunctionsExecutions } from '../../../lambda/aws/step-functions-executions.ts';
import { StepFunctionsNotifications } from '../../../lambda/aws/step-functions-notifications.ts';
import { allOf } from '../../../lambda/ports/pages.ts';

const region = 'us-east-1';

describe('the S3 adapter', () => {
  const answer = (httpStatusCode: number) =>
    new S3ServiceException({ name: 'Error', $fault: 'client', $metadata: { httpStatusCode } });
  const objects = () => {
    const client = new S3Client({ region });
    return { mock: mockClient(client), store: new S3Objects(client) };
  };

  const contentType = 'application/json';

  it('writes with the content type and the condition that it was given', async () => {
    const { mock, store } = objects();
    mock.on(PutObjectCommand).resolves({});
    await store.write('s3://lake/a/b.json', 'x', { contentType, condition: { kind: 'absent' } });
    await store.write('s3://lake/a/b.json', 'x', {
      contentType,
      condition: { kind: 'unchanged', etag: '"1"' },
    });
    await store.write('s3://lake/a/b.json', 'x', { contentType });
    const inputs = mock.commandCalls(PutObjectCommand).map((call) => call.args[0].input);
    expect(inputs.map(({ IfNoneMatch, IfMatch }) => [IfNoneMatch, IfMatch])).toEqual([
      ['*', undefined],
      [undefined, '"1"'],
      [undefined, undefined],
    ]);
    expect(inputs[0]).toMatchObject({ Bucket: 'lake', Key: 'a/b.json' });
    for (const input of inputs) expect(input.ContentType).toBe(contentType);
  });

  it('retries while another conditional write is in progress, and returns the outcome of the retry', async () => {
    const { mock, store } = objects();
    mock.on(PutObjectCommand).rejectsOnce(answer(409)).rejectsOnce(answer(409)).rejects(answer(412));
    expect(await store.write('s3://lake/a', 'x', { contentType, condition: { kind: 'absent' } })).toBe(
      'conflict',
    );
    expect(mock.commandCalls(PutObjectCommand)).toHaveLength(3);
  });

  it('treats a deleted object as changed, but not a missing bucket', async () => {
    const { mock, store } = objects();
    mock.on(PutObjectCommand).rejects(answer(404));
    const unchanged = { contentType, condition: { kind: 'unchanged', etag: '"1"' } } as const;
    expect(await store.write('s3://lake/a', 'x', unchanged)).toBe('conflict');
    await expect(store.write('s3://lake/a', 'x', { contentType })).rejects.toThrow();
  });

  it('lists all pages of a folder and the matches of a glob, but not names that only begin alike', async () => {
    const { mock, store } = objects();
    const page = (...keys: string[]) => ({ Contents: keys.map((Key) => ({ Key, ETag: '"1"', Size: 1 })) });
    mock
      .on(ListObjectsV2Command, { Prefix: 'events/' })
      .resolvesOnce({ ...page('events/a.json'), IsTruncated: true, NextContinuationToken: 'next' })
      .resolves(page('events/b/c.json', 'events/b/d.txt'))
      .on(ListObjectsV2Command, { Prefix: 'events', MaxKeys: 1 })
      .resolves(page('events-of-others/x.json'));
    const uris = (await store.list('s3://raw/events/')).map((object) => object.uri);
    expect(uris).toEqual(['s3://raw/events/a.json', 's3://raw/events/b/c.json', 's3://raw/events/b/d.txt']);
    const matching = await store.list('s3://raw/events/*/*.json');
    expect(matching.map((object) => object.uri)).toEqual(['s3://raw/events/b/c.json']);
  });

  it.each([
    ['NoSuchBucket', 'no such bucket'],
    ['AccessDenied', 'access denied'],
    ['PermanentRedirect', 'bucket in another Region'],
    ['AuthorizationHeaderMalformed', 'bucket in another Region'],
  ])('reports a bucket that cannot be listed: %s', async (name, reason) => {
    const { mock, store } = objects();
    const refusal = { name, message: 'as S3 says', $fault: 'client' as const, $metadata: {} };
    mock.on(ListObjectsV2Command).rejects(new S3ServiceException(refusal));
    for (const location of ['s3://raw/events', 's3://raw/events/*.json']) {
      await expect(store.list(location)).rejects.toMatchObject({
        name: 'UnlistableError',
        reason,
        message: `${location} cannot be listed, ${reason}: as S3 says`,
      });
    }
    mock.on(ListObjectsV2Command).rejects(new S3ServiceException({ ...refusal, name: 'SlowDown' }));
    await expect(store.list('s3://raw/events')).rejects.toMatchObject({ name: 'SlowDown' });
  });

  it('lists what comes after an address, the object of the location itself included', async () => {
    const { mock, store } = objects();
    mock
      .on(ListObjectsV2Command)
      .resolves({})
      .on(ListObjectsV2Command, { Prefix: 'events', MaxKeys: 1 })
      .resolves({ Contents: [{ Key: 'events', ETag: '"1"', Size: 1 }] });
    const uris = async (after: string) =>
      (await allOf(store.pages('s3://raw/events', after))).map(({ uri }) => uri);
    expect(await uris('s3://raw/eve')).toEqual(['s3://raw/events']);
    expect(await uris('s3://raw/events/2018')).toEqual([]);
    expect(mock.commandCalls(ListObjectsV2Command).at(-1)?.args[0].input).toMatchObject({
      Prefix: 'events/',
      StartAfter: 'events/2018',
    });
  });

  it('refuses text that is not an S3 address', async () => {
    await expect(objects().store.read('/tmp/x')).rejects.toThrow(/\/tmp\/x is not a URI in S3/);
  });
});

it('the Athena adapter reads the column names from the first row of the first page only', async () => {
  const client = new AthenaClient({ region });
  const row = (...values: (string | undefined)[]) => ({
    Data: values.map((value) => (value === undefined ? {} : { VarCharValue: value })),
  });
  const ResultSetMetadata = {
    ColumnInfo: ['table_name', 'row_count'].map((Name) => ({ Name, Type: 'varchar' })),
  };
  mockClient(client)
    .on(GetQueryResultsCommand, { QueryExecutionId: 'q' })
    .resolvesOnce({
      NextToken: 'next',
      ResultSet: { ResultSetMetadata, Rows: [row('table_name', 'row_count'), row('events', '7')] },
    })
    .resolves({ ResultSet: { ResultSetMetadata, Rows: [row('scores', undefined)] } });
  expect(await new AthenaSql(client).results('q')).toEqual([
    { table_name: 'events', row_count: '7' },
    { table_name: 'scores', row_count: null },
  ]);
});

describe('the EMR adapter', () => {
  const tags = (runId: string, pipeline: string) => [
    { Key: CLUSTER_TAGS.pipeline, Value: pipeline },
    { Key: CLUSTER_TAGS.runId, Value: runId },
    { Key: CLUSTER_TAGS.executionArn, Value: `arn:${runId}` },
  ];
  const created = new Date('2018-12-04T06:00:00Z');

  it("finds the pipeline's clusters on every page by their tags, and ignores others", async () => {
    const client = new EMRClient({ region });
    const mock = mockClient(client);
    mock
      .on(ListClustersCommand)
      .resolvesOnce({
        Clusters: [
          { Id: 'j-1', Name: 'churn-dev-run-1' },
          { Id: 'j-2', Name: 'etl' },
        ],
        Marker: 'm',
      })
      .resolves({
        Clusters: [
          { Id: 'j-3', Name: 'churn-dev-run-3' },
          { Id: 'j-4', Name: 'churn-dev-run-4' },
        ],
      });
    const cluster = (
      Tags: { Key: string; Value: string }[],
      State: 'RUNNING' | 'TERMINATING' = 'RUNNING',
    ) => ({
      Cluster: { Tags, Status: { State, Timeline: { CreationDateTime: created } } },
    });
    const ending = cluster(tags('run-4', 'churn-dev'), 'TERMINATING');
    mock.on(DescribeClusterCommand, { ClusterId: 'j-4' }).resolves(ending);
    mock.on(DescribeClusterCommand, { ClusterId: 'j-1' }).resolves(cluster(tags('run-1', 'churn-dev')));
    mock.on(DescribeClusterCommand, { ClusterId: 'j-3' }).resolves(cluster(tags('run-3', 'of another team')));
    expect(await new EmrClusters(client, 'churn-dev').living()).toEqual([
      {
        clusterId: 'j-1',
        runId: 'run-1',
        executionArn: 'arn:run-1',
        createdAt: created,
        isTerminating: false,
      },
      {
        clusterId: 'j-4',
        runId: 'run-4',
        executionArn: 'arn:run-4',
        createdAt: created,
        isTerminating: true,
      },
    ]);
    expect(mock.commandCalls(DescribeClusterCommand)).toHaveLength(3);
  });

  it('describes why a cluster failed and how long each of its instances ran', async () => {
    const client = new EMRClient({ region });
    const ended = new Date('2018-12-04T07:00:00Z');
    mockClient(client)
      .on(ListClustersCommand)
      .resolves({ Clusters: [{ Id: 'j-1', Name: 'churn-dev-run-1' }] })
      .on(DescribeClusterCommand)
      .resolves({
        Cluster: {
          Tags: tags('run-1', 'churn-dev'),
          Status: { State: 'TERMINATED_WITH_ERRORS', StateChangeReason: { Message: 'Step failure' } },
          Ec2InstanceAttributes: { Ec2AvailabilityZone: 'us-east-1a' },
        },
      })
      .on(ListInstancesCommand)
      .resolvesOnce({
        Marker: 'more',
        Instances: [
          {
            InstanceType: 'm7g.xlarge',
            Market: 'SPOT',
            Status: { Timeline: { CreationDateTime: created, EndDateTime: ended } },
          },
        ],
      })
      .resolves({ Instances: [{ InstanceType: 'm6g.xlarge', Status: { Timeline: { EndDateTime: ended } } }] })
      .on(ListStepsCommand)
      .resolves({
        Steps: [
          {
            Name: 'TrainModels',
            Status: { FailureDetails: { Reason: 'Unknown Error.', LogFile: 's3://logs/x' } },
          },
        ],
      });
    expect(await new EmrClusters(client, 'churn-dev').ofRun('run-1')).toEqual([
      {
        clusterId: 'j-1',
        state: 'TERMINATED_WITH_ERRORS',
        stateChangeReason: 'Step failure',
        failedStep: { name: 'TrainModels', reason: 'Unknown Error.', logUri: 's3://logs/x' },
        instances: [
          {
            instanceType: 'm7g.xlarge',
            market: 'SPOT',
            zone: 'us-east-1a',
            startedAt: created,
            endedAt: ended,
          },
          {
            instanceType: 'm6g.xlarge',
            market: 'ON_DEMAND',
            zone: 'us-east-1a',
            startedAt: ended,
            endedAt: ended,
          },
        ],
      },
    ]);
  });
});

describe('the EC2 adapter for instance types', () => {
  const market = () => {
    const client = new EC2Client({ region, maxAttempts: 1 });
    return { mock: mockClient(client), market: new Ec2InstanceMarket(client) };
  };
  const refusal = (name: string) =>
    new EC2ServiceException({ name, message: `${name} it is`, $fault: 'client', $metadata: {} });

  it('returns the zones of each type, from every page, and the zones of the subnets', async () => {
    const { mock, market: ec2 } = market();
    const offer = (Location: string) => ({ InstanceType: 'm7g.xlarge' as const, Location });
    mock
      .on(DescribeInstanceTypeOfferingsCommand)
      .resolvesOnce({ NextToken: 'next', InstanceTypeOfferings: [offer('us-east-1a')] })
      .resolves({ InstanceTypeOfferings: [offer('us-east-1b')] })
      .on(DescribeSubnetsCommand, { SubnetIds: ['subnet-1', 'subnet-2'] })
      .resolves({ Subnets: [{ AvailabilityZone: 'us-east-1a' }, { AvailabilityZone: 'us-east-1a' }] });
    expect(await ec2.offers(['m7g.xlarge', 'r7g.xlarge'], ['subnet-1', 'subnet-2'])).toEqual({
      zones: new Map([['m7g.xlarge', ['us-east-1a', 'us-east-1b']]]),
      subnetZones: ['us-east-1a'],
    });
    expect(mock.commandCalls(DescribeInstanceTypeOfferingsCommand)[0]?.args[0].input).toMatchObject({
      LocationType: 'availability-zone',
      Filters: [{ Name: 'instance-type', Values: ['m7g.xlarge', 'r7g.xlarge'] }],
    });
  });

  it.each([
    [
      'UnauthorizedOperation',
      /may not ask EC2.*UnauthorizedOperation it is[\s\S]*ec2:DescribeSubnets: deploy/,
    ],
    ['InvalidSubnetID.NotFound', /does not know a subnet.*[\s\S]*churn:subnetIds/],
  ])('explains an error that waiting does not fix: %s', async (name, message) => {
    const { mock, market: ec2 } = market();
    mock.on(DescribeInstanceTypeOfferingsCommand).resolves({});
    mock.on(DescribeSubnetsCommand).rejects(refusal(name));
    const answer = ec2.offers(['m7g.xlarge'], ['subnet-1']);
    await expect(answer).rejects.toMatchObject({ name: 'InvalidConfiguration' });
    await expect(answer).rejects.toThrow(message);
  });

  it('passes on the error of an outage unchanged', async () => {
    const { mock, market: ec2 } = market();
    mock.on(DescribeInstanceTypeOfferingsCommand).rejects(refusal('Unavailable'));
    mock.on(DescribeSubnetsCommand).resolves({});
    await expect(ec2.offers(['m7g.xlarge'], ['subnet-1'])).rejects.toMatchObject({ name: 'Unavailable' });
  });

  it('does not wait for EC2 indefinitely', async () => {
    const server = createServer(() => {});
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const credentials = { accessKeyId: 'testing', secretAccessKey: 'testing' };
    const client = new EC2Client({ region, endpoint: `http://127.0.0.1:${port}`, credentials });
    const started = performance.now();
    const market = new Ec2InstanceMarket(client, 200);
    await expect(market.offers(['m7g.xlarge'], ['subnet-1'])).rejects.toThrow();
    expect(performance.now() - started).toBeLessThan(2_000);
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
});

it('the EC2 adapter reads the spot prices of every page and skips entries without a price', async () => {
  const client = new EC2Client({ region });
  const mock = mockClient(client);
  const from = new Date('2018-12-04T06:00:00Z');
  const to = new Date('2018-12-04T07:00:00Z');
  const row = (Timestamp: Date, SpotPrice: string) => ({
    InstanceType: 'm7g.xlarge' as const,
    Timestamp,
    SpotPrice,
  });
  mock
    .on(DescribeSpotPriceHistoryCommand)
    .resolvesOnce({ NextToken: 'next', SpotPriceHistory: [row(to, '0.0611'), row(from, '')] })
    .resolves({ SpotPriceHistory: [row(from, '0.060000')] });
  const question = { zone: 'us-east-1a', instanceTypes: ['m7g.xlarge'], from, to };
  expect(await new Ec2SpotPrices(client).history(question)).toEqual([
    { instanceType: 'm7g.xlarge', at: to, usdPerHour: 0.0611 },
    { instanceType: 'm7g.xlarge', at: from, usdPerHour: 0.06 },
  ]);
  expect(mock.commandCalls(DescribeSpotPriceHistoryCommand)[0]?.args[0].input).toMatchObject({
    AvailabilityZone: 'us-east-1a',
    Filters: [{ Name: 'instance-type', Values: ['m7g.xlarge'] }],
    ProductDescriptions: ['Linux/UNIX'],
    StartTime: from,
    EndTime: to,
  });
});

it('the Step Functions adapter reads executions back to the requested day and no further', async () => {
  const client = new SFNClient({ region });
  const mock = mockClient(client);
  const execution = (name: string, start: string) => ({
    name,
    executionArn: `arn:${name}`,
    stateMachineArn: 'arn:machine',
    status: 'FAILED' as const,
    startDate: new Date(start),
  });
  mock.on(ListExecutionsCommand).resolves({ executions: [] });
  mock.on(ListExecutionsCommand, { statusFilter: 'FAILED' }).resolves({
    executions: [execution('new', '2018-12-04T06:00:00Z'), execution('old', '2018-11-01T06:00:00Z')],
    nextToken: 'older ones',
  });
  const found = await new StepFunctionsExecutions(client, 'arn:machine').failedSince(new Date('2018-12-01'));
  expect(found.map(({ runId }) => runId)).toEqual(['new']);
  expect(mock.commandCalls(ListExecutionsCommand)).toHaveLength(3);
});

it('the Step Functions adapter reads from the history when each state with work began and ended', async () => {
  const client = new SFNClient({ region });
  const mock = mockClient(client);
  const second = (number: number) => new Date(Date.UTC(2018, 11, 4, 6, 0, number));
  const entered = (id: number, type: 'Task' | 'Parallel', name: string) => ({
    ...{ id, timestamp: second(id), type: `${type}StateEntered` as const },
    stateEnteredEventDetails: { name },
  });
  const exited = (id: number, type: 'Task' | 'Parallel', name: string) => ({
    ...{ id, timestamp: second(id), type: `${type}StateExited` as const },
    stateExitedEventDetails: { name },
  });
  mock
    .on(GetExecutionHistoryCommand)
    .resolves({ events: [exited(7, 'Task', 'IngestEvents'), entered(8, 'Task', 'StoreMetrics')] });
  mock.on(GetExecutionHistoryCommand, { nextToken: undefined }).resolves({
    events: [
      entered(1, 'Task', 'PlanRun'),
      exited(2, 'Task', 'PlanRun'),
      entered(3, 'Parallel', 'UseCluster'),
      entered(4, 'Task', 'IngestEvents'),
      { id: 5, timestamp: second(5), type: 'TaskFailed' },
    ],
    nextToken: 'the rest',
  });
  const visits = await new StepFunctionsExecutions(client, 'arn:machine').visits('arn:execution');
  expect(visits).toEqual([
    { state: 'PlanRun', from: second(1), to: second(2) },
    { state: 'IngestEvents', from: second(4), to: second(7) },
    { state: 'StoreMetrics', from: second(8), to: null },
  ]);
});

describe('the Step Functions adapter for notifications', () => {
  const client = new SFNClient({ region });
  const mock = mockClient(client);
  const notifications = new StepFunctionsNotifications(client, 'arn:notifier');
  const notice = { subject: 'Churn model: run failed', text: 'why' };
  beforeEach(() => mock.reset());

  it("starts the notifier with the run's id as the name, and with a subject that SNS accepts", async () => {
    mock.on(StartExecutionCommand).resolves({});
    const subject = `Run ü\nfailed ${'x'.repeat(200)}`;
    expect(await notifications.notifyOnce('run-1', { subject, text: 'why' })).toBe('notified');
    const { input } = mock.commandCalls(StartExecutionCommand)[0]?.args[0] ?? {};
    expect(input).toMatchObject({ stateMachineArn: 'arn:notifier', name: 'run-1' });
    const told = noticeSchema.parse(JSON.parse(input?.input ?? ''));
    expect(told.subject).toMatch(/^Run failed x+$/);
    expect(told.subject).toHaveLength(100);
    expect(told.text).toBe('why');
  });

  it('treats a name that is already used as a notification that was already sent', async () => {
    mock
      .on(StartExecutionCommand)
      .rejects(new ExecutionAlreadyExists({ message: 'Execution Already Exists', $metadata: {} }));
    expect(await notifications.notifyOnce('run-1', notice)).toBe('already notified');
  });

  it('passes on any other error', async () => {
    const gone = new StateMachineDoesNotExist({ message: 'gone', $metadata: {} });
    mock.on(StartExecutionCommand).rejects(gone);
    await expect(notifications.notifyOnce('run-1', notice)).rejects.toBe(gone);
  });
});

it('an adapter whose environment variable is missing names the variable when it is used', () => {
  const ports = awsPorts({}, { warn: () => {} });
  expect(() => ports.notifications).toThrow(/NOTIFIER_ARN is missing/);
});
