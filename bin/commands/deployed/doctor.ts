/** `churn doctor`: whether the account lets a deployed pipeline run. */
import { Command } from 'commander';
import { UsageError } from '../arguments.ts';
import { findingsText, isHealthy } from './doctor/text.ts';
import { regionOf, stateMachineNameOf } from './names.ts';
import { namesPipeline, type PipelineOptions, withOptionalPipeline } from './options.ts';

interface DoctorOptions extends Partial<PipelineOptions> {
  readonly notify: boolean;
  readonly json: boolean;
}

export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description(
      'Check what a deployed pipeline needs of its AWS account, before the first run or after a failure: quotas, roles, ' +
        'tags, Lake Formation, buckets, notifications. Exits with 1 if there is a problem.',
    )
    .option('--no-notify', 'do not send a test message to an existing topic (churn:alarmTopicArn)')
    .option('--json', 'print one JSON document', false);
  return withOptionalPipeline(command).action(async (options: DoctorOptions) => {
    if (!namesPipeline(options)) {
      throw new UsageError('Name the deployment to check, with --stage or --state-machine.');
    }
    const [{ openPipeline }, { doctorClients }, { readFacts }, { runChecks }] = await Promise.all([
      import('./deployed-pipeline.ts'),
      import('./doctor/clients.ts'),
      import('./doctor/facts.ts'),
      import('./doctor/checks.ts'),
    ]);
    const { stateMachineArn } = await openPipeline(options, process.env);
    const clients = doctorClients(regionOf(stateMachineArn));
    const facts = await readFacts(stateMachineArn, clients);
    const pipeline = stateMachineNameOf(stateMachineArn);
    const findings = await runChecks(facts, clients, { pipeline, notify: options.notify });
    const healthy = isHealthy(findings);
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ stateMachineArn, healthy, findings }, undefined, 2)}\n`
        : findingsText(findings),
    );
    process.exitCode = healthy ? 0 : 1;
  });
}
