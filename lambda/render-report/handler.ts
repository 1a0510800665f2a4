import { lambdaHandler } from '../aws/lambda-handler.ts';
import { renderReport } from './render-report.ts';

export const handler = lambdaHandler({ name: 'render-report', run: renderReport });
