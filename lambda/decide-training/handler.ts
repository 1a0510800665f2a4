import { lambdaHandler } from '../aws/lambda-handler.ts';
import { decideTrainingOfRun } from './decide-training.ts';

export const handler = lambdaHandler({ name: 'decide-training', run: decideTrainingOfRun });
