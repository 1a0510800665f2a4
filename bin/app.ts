/** The CDK app: `npx cdk synth`, `npx cdk deploy`. */

import { Validations } from 'aws-cdk-lib';
import { UserError } from '../domain/user-error.ts';
import { buildApp } from '../lib/app.ts';
import { warnWithoutRecipient } from '../lib/recipients.ts';
import { ReviewedChecks } from '../lib/review/reviewed-checks.ts';

try {
  const { app, configuration, stacks } = buildApp();
  warnWithoutRecipient(stacks.pipeline, configuration);
  Validations.of(app).addPlugins(new ReviewedChecks(app));
  app.synth();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
