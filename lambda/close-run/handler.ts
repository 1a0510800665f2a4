import { lambdaHandler } from '../aws/lambda-handler.ts';
import { closeRun } from './close-run.ts';

export const handler = lambdaHandler({
  name: 'close-run',
  run: closeRun,
  // A closing that is done again counts nothing: the first one told people.
  measure: ({ closings }) => ({
    runsFailed: closings.filter(({ outcome, notified }) => outcome === 'failed' && notified).length,
    clustersTerminatedByClosing: closings.reduce((sum, closing) => sum + closing.clustersTerminated, 0),
  }),
});
