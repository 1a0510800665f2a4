/** The Lambdas by name. The cloud calls each through its handler; the local run calls them through this list. */
import type { FunctionName } from '../lib/domain/operations.ts';
import { closeRun } from './close-run/close-run.ts';
import type { LambdaFunction } from './context.ts';
import { renderReport } from './render-report/render-report.ts';
import { startTraining } from './start-training/start-training.ts';
import { storeMetrics } from './store-metrics/store-metrics.ts';

export type { FunctionName } from '../lib/domain/operations.ts';
export { type FunctionContext, readContext } from './context.ts';

export const FUNCTIONS: Readonly<Record<FunctionName, LambdaFunction<unknown>>> = {
  'start-training': startTraining,
  'store-metrics': storeMetrics,
  'render-report': renderReport,
  'close-run': closeRun,
};
