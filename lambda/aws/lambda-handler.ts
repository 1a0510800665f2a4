/** A Lambda's entry point: the function's body, with the cloud's ports, log and metrics. */
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import {
  ENVIRONMENT,
  type FunctionName,
  METRIC_DIMENSIONS,
  METRIC_NAMESPACE,
  RUN_METRICS,
  type RunMetric,
} from '../../domain/operations.ts';
import type { Ports } from '../ports/ports.ts';
import { readDeployment } from '../run/deployment.ts';
import { type LambdaFunction, type World, worldOf } from '../run/world.ts';
import { awsPorts } from './adapters.ts';

/** Values of the metrics of a call. */
export type Measurements = Readonly<Partial<Record<RunMetric, number>>>;

export interface LambdaDefinition<Output> {
  readonly name: FunctionName;
  readonly run: LambdaFunction<Output>;
  /** Metrics of a call that succeeded. */
  readonly measure?: (output: Output, input: unknown, world: World) => Measurements | Promise<Measurements>;
  /** Metrics of a call that failed, by the error's name. */
  readonly measureError?: (errorName: string) => Measurements;
}

/** The part of the Lambda service's context that the Powertools read. */
type InvocationContext = Parameters<Logger['addContext']>[0];

export type Handler<Output> = (input: unknown, invocation: InvocationContext) => Promise<Output>;

/** Makes the handler that the Lambda service calls. */
export function lambdaHandler<Output>(definition: LambdaDefinition<Output>): Handler<Output> {
  const { name, run, measure, measureError } = definition;
  const logger = new Logger({ serviceName: name });
  const metrics = new Metrics({
    namespace: METRIC_NAMESPACE,
    serviceName: name,
    defaultDimensions: { [METRIC_DIMENSIONS.deployment]: process.env[ENVIRONMENT.pipelineName] ?? 'unknown' },
  });
  let ports: Ports | undefined;
  const publish = async (measurements: () => Measurements | Promise<Measurements>): Promise<void> => {
    try {
      add(metrics, await measurements());
    } catch (error) {
      // The work is done: a missing metric on a dashboard must not undo it.
      logger.error('the metrics of this call are lost', error instanceof Error ? error : String(error));
    }
  };
  return async (input, invocation) => {
    logger.addContext(invocation);
    logger.info('called', { input });
    try {
      const deployment = readDeployment(process.env);
      ports ??= awsPorts(process.env, { warn: (message) => logger.warn(message) });
      const world = worldOf(ports, deployment);
      const output = await run(input, world);
      logger.info('done', { output });
      await publish(() => measure?.(output, input, world) ?? {});
      return output;
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      logger.error('failed', failure);
      await publish(() => measureError?.(failure.name) ?? {});
      throw failure;
    }
  };
}

function add(metrics: Metrics, measurements: Measurements): void {
  const values = new Map(Object.entries(measurements));
  if (values.size === 0) return;
  for (const [key, { name, unit }] of Object.entries(RUN_METRICS)) {
    const value = values.get(key);
    if (value !== undefined) metrics.addMetric(name, MetricUnit[unit], value);
  }
  metrics.publishStoredMetrics();
}
