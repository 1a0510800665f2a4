import { lambdaHandler } from '../aws/lambda-handler.ts';
import { chooseModelOfRun } from './choose-model.ts';

export const handler = lambdaHandler({ name: 'choose-model', run: chooseModelOfRun });
