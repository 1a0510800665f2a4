import { RUN_DETAIL } from '../../domain/lake-objects.ts';
import { storeMetricsInputSchema } from '../../domain/run.ts';
import { lambdaHandler } from '../aws/lambda-handler.ts';
import { measurements } from './measurements.ts';
import { storeMetrics } from './store-metrics.ts';

export const handler = lambdaHandler({
  name: 'store-metrics',
  run: storeMetrics,
  measure: async (_output, input, { lake }) =>
    measurements(await lake.read(RUN_DETAIL.of(storeMetricsInputSchema.parse(input).runId))),
  measureError: (errorName) => (errorName === 'ReconciliationFailed' ? { reconciliationMismatches: 1 } : {}),
});
