import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ENVIRONMENT, METRIC_NAMESPACE } from '../../../domain/operations.ts';
import { type LambdaDefinition, lambdaHandler } from '../../../lambda/aws/lambda-handler.ts';
import { PipelineError } from '../../../lambda/run/errors.ts';

const INVOCATION = {
  functionName: 'churn-dev-store-metrics',
  functionVersion: '1',
  invokedFunctionArn: 'arn:aws:lambda:us-east-1:111122223333:function:churn-dev-store-metrics',
  memoryLimitInMB: '1024',
  awsRequestId: 'request-1',
  callbackWaitsForEmptyEventLoop: true,
  logGroupName: 'group',
  logStreamName: 'stream',
  getRemainingTimeInMillis: () => 1_000,
  done: () => undefined,
  fail: () => undefined,
  succeed: () => undefined,
};

let printed: unknown[];

beforeEach(() => {
  vi.stubEnv(ENVIRONMENT.lakeRoot, 's3://lake/');
  vi.stubEnv(ENVIRONMENT.database, 'churn_dev_0a1b2c3d');
  vi.stubEnv(ENVIRONMENT.pipelineName, 'churn-dev');
  vi.stubEnv(ENVIRONMENT.eventsRoot, 's3://raw/events');
  vi.stubEnv(ENVIRONMENT.release, '0123456789ab');
  vi.stubEnv(ENVIRONMENT.trainingRelease, '0123456789cd');
  // Powertools then writes through the console, where a test can see it.
  vi.stubEnv('POWERTOOLS_DEV', 'true');
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
  printed = [];
  for (const method of ['log', 'info', 'warn', 'error'] as const) {
    vi.spyOn(console, method).mockImplementation((line: string) => printed.push(JSON.parse(line)));
  }
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const namesExactly =
  (...names: readonly string[]) =>
  (given: unknown): boolean =>
    Array.isArray(given) && given.toSorted().join() === names.toSorted().join();

const call = (definition: Omit<LambdaDefinition<unknown>, 'name'>) =>
  lambdaHandler({ name: 'store-metrics', ...definition })({ runId: 'run-1' }, INVOCATION);

describe('a Lambda handler', () => {
  it('passes on the context, logs input and output as JSON, and emits its metrics', async () => {
    const output = await call({
      run: async (_input, { lake }) => ({ lake: lake.root }),
      measure: () => ({ rowsRead: 7 }),
    });
    expect(output).toEqual({ lake: 's3://lake' });
    expect(printed).toContainEqual(
      expect.objectContaining({ level: 'INFO', service: 'store-metrics', input: { runId: 'run-1' } }),
    );
    expect(printed).toContainEqual(
      expect.objectContaining({
        RowsRead: 7,
        deployment: 'churn-dev',
        service: 'store-metrics',
        _aws: expect.objectContaining({
          CloudWatchMetrics: [
            expect.objectContaining({
              Namespace: METRIC_NAMESPACE,
              // CloudWatch finds a metric by all of its dimensions: alarms name these two.
              Dimensions: [expect.toSatisfy(namesExactly('deployment', 'service'))],
            }),
          ],
        }),
      }),
    );
  });

  it('keeps the name of an error for the state machine, and counts it', async () => {
    const failing = call({
      run: async () => {
        throw new PipelineError('ReconciliationFailed', 'events: 1 was counted, 2 were expected');
      },
      measureError: (name) => (name === 'ReconciliationFailed' ? { reconciliationMismatches: 1 } : {}),
    });
    await expect(failing).rejects.toMatchObject({ name: 'ReconciliationFailed' });
    expect(printed).toContainEqual(expect.objectContaining({ ReconciliationMismatches: 1 }));
    expect(printed).toContainEqual(expect.objectContaining({ level: 'ERROR', message: 'failed' }));
  });

  it('does not fail because of metrics once the work is done', async () => {
    const measure = () => {
      throw new Error('throttled');
    };
    expect(await call({ run: async () => 'done', measure })).toBe('done');
    expect(printed).toContainEqual(expect.objectContaining({ message: 'the metrics of this call are lost' }));
  });

  it('names the environment variables that are missing', async () => {
    vi.stubEnv(ENVIRONMENT.lakeRoot, undefined);
    await expect(call({ run: async () => 'done' })).rejects.toThrow(/LAKE_ROOT/);
  });
});
