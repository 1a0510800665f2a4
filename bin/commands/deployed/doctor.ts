/** `churn doctor`: whether this machine lets a local run start, or the account a deployed one. */
import { Command } from 'commander';
import { machineFindings } from '../../../domain/machine.ts';
import type { Finding } from '../../../domain/preflight.ts';
import { machineFacts } from '../../../local/run/machine-facts.ts';
import { ProgressLine } from '../../terminal/pace.ts';
import { DEFAULT_LAKE } from '../arguments.ts';
import { findingsText, isHealthy } from './doctor/text.ts';
import { regionOf, stateMachineNameOf } from './names.ts';
import { namesPipeline, type PipelineOptions, withOptionalPipeline } from './options.ts';

interface DoctorOptions extends Partial<PipelineOptions> {
  readonly notify: boolean;
  readonly lake: string;
  readonly json: boolean;
}

export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description(
      'Check what a local run needs of this machine; with --stage, what a deployed pipeline needs of its AWS account: ' +
        'quotas, roles, tags, Lake Formation, buckets, notifications. Exits with 1 if there is a problem.',
    )
    .option('--no-notify', 'do not send a test message to an existing topic (churn:alarmTopicArn)')
    .option('--lake <folder>', 'the lake of the local runs', DEFAULT_LAKE)
    .option('--json', 'print one JSON document', false);
  return withOptionalPipeline(command).action(async (options: DoctorOptions) => {
    if (!namesPipeline(options)) {
      show(machineFindings(await machineFacts(options.lake, process.env)), options.json, {});
      return;
    }
    const [{ openPipeline }, { doctorClients }, { readFacts }, { runChecks }] = await Promise.all([
      import('./deployed-pipeline.ts'),
      import('./doctor/clients.ts'),
      import('./doctor/facts.ts'),
      import('./doctor/checks.ts'),
    ]);
    const { stateMachineArn } = await openPipeline(options, process.env);
    const clients = doctorClients(regionOf(stateMachineArn));
    const findings = await new ProgressLine(process.stderr).during('Asking the account', async () => {
      const facts = await readFacts(stateMachineArn, clients);
      const pipeline = stateMachineNameOf(stateMachineArn);
      return runChecks(facts, clients, { pipeline, notify: options.notify });
    });
    show(findings, options.json, { stateMachineArn });
  });
}

/** @param about what was checked, for programs */
function show(findings: readonly Finding[], json: boolean, about: Readonly<Record<string, string>>): void {
  const healthy = isHealthy(findings);
  process.stdout.write(
    json ? `${JSON.stringify({ ...about, healthy, findings }, undefined, 2)}\n` : findingsText(findings),
  );
  process.exitCode = healthy ? 0 : 1;
}
