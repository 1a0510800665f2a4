import { lambdaHandler } from '../aws/lambda-handler.ts';
import { closeRun } from './close-run.ts';
import { readCloseRequest } from './input.ts';
import { closingMeasurements } from './measurements.ts';
import { watch } from './watch.ts';

export const handler = lambdaHandler({
  name: 'close-run',
  run: closeRun,
  measure: async ({ closings }, input, world) => ({
    ...closingMeasurements(closings),
    ...(readCloseRequest(input).kind === 'sweep' ? await watch(world) : {}),
  }),
});
