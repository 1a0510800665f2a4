import { lambdaHandler } from '../aws/lambda-handler.ts';
import { closeRun } from './close-run.ts';
import { readCloseRequest } from './input.ts';
import { watch } from './watch.ts';

export const handler = lambdaHandler({
  name: 'close-run',
  run: closeRun,
  measure: async ({ closings }, input, ports, context) => ({
    // A closing that is done again counts nothing: the first one told people.
    runsFailed: closings.filter(({ outcome, notified }) => outcome === 'failed' && notified).length,
    clustersTerminatedByClosing: closings.reduce((sum, closing) => sum + closing.clustersTerminated, 0),
    ...(readCloseRequest(input).kind === 'sweep' ? await watch(ports, context) : {}),
  }),
});
