/** The CDK app: `npx cdk synth`, `npx cdk deploy`. */

import { Validations } from 'aws-cdk-lib';
import { UserError } from '../domain/user-error.ts';
import { buildApp } from '../lib/app.ts';
import { ReviewedChecks } from '../lib/review/reviewed-checks.ts';

try {
  const { app } = buildApp();
  Validations.of(app).addPlugins(new ReviewedChecks(app));
  app.synth();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
