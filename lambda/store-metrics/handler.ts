import { storeMetricsInputSchema } from '../../lib/domain/run.ts';
import { lambdaHandler } from '../aws/lambda-handler.ts';
import { readDetail } from '../run-detail.ts';
import { storeMetrics } from './store-metrics.ts';

export const handler = lambdaHandler({
  name: 'store-metrics',
  run: storeMetrics,
  measure: async (_output, input, ports, context) => {
    const { record, ingest, training } = await readDetail(
      storeMetricsInputSchema.parse(input).runId,
      ports,
      context,
    );
    const chosen = training.evaluations.find(({ model }) => model === training.chosen);
    const { read, quarantined } = ingest.counts;
    return {
      runsSucceeded: 1,
      rowsRead: read,
      quarantinePercent: read === 0 ? 0 : (100 * quarantined) / read,
      reconciliationMismatches: 0,
      modelPromoted: record.promoted === true ? 1 : 0,
      ...(record.cost_usd === null ? {} : { costUsd: record.cost_usd }),
      ...(chosen?.metrics.auc === undefined ? {} : { areaUnderRocCurve: chosen.metrics.auc.value }),
    };
  },
  measureError: (errorName) => (errorName === 'ReconciliationFailed' ? { reconciliationMismatches: 1 } : {}),
});
