import { storeMetricsInputSchema } from '../../domain/run.ts';
import { lambdaHandler } from '../aws/lambda-handler.ts';
import { readDetail } from '../run/detail.ts';
import { measurements } from './measurements.ts';
import { storeMetrics } from './store-metrics.ts';

export const handler = lambdaHandler({
  name: 'store-metrics',
  run: storeMetrics,
  measure: async (_output, input, ports, context) =>
    measurements(await readDetail(storeMetricsInputSchema.parse(input).runId, ports, context)),
  measureError: (errorName) => (errorName === 'ReconciliationFailed' ? { reconciliationMismatches: 1 } : {}),
});
