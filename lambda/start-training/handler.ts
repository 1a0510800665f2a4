import { lambdaHandler } from '../aws/lambda-handler.ts';
import { measurements } from './measurements.ts';
import { planRun } from './plan-run.ts';

export const handler = lambdaHandler({
  name: 'start-training',
  run: planRun,
  measure: (output, _, { deployment }) => measurements(output, deployment.settings),
});
