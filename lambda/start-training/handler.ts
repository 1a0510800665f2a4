import { lambdaHandler } from '../aws/lambda-handler.ts';
import { planRun } from './plan-run.ts';

export const handler = lambdaHandler({
  name: 'start-training',
  run: planRun,
  measure: (output) => {
    if (output.decision === 'run') return { estimatedCostUsd: output.cluster.estimatedUsd };
    return output.decision === 'refused' ? { runsRefused: 1 } : {};
  },
});
