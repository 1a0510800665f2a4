/** The options of every command for a deployed pipeline. */
import { type Command, Option } from 'commander';

export interface PipelineOptions {
  readonly stage: string;
  readonly name: string;
  readonly region?: string;
  readonly stateMachine?: string;
}

/** Adds the options that identify the pipeline; the default stage is dev. */
export function withPipelineOptions(command: Command): Command {
  return located(command, (stage) => stage.default('dev'));
}

/** The same for a command that works locally unless a pipeline is named. */
export function withOptionalPipeline(command: Command): Command {
  return located(command, (stage) => stage);
}

/** Whether the options of such a command name a pipeline. */
export function namesPipeline<Options extends Partial<PipelineOptions>>(
  options: Options,
): options is Options & PipelineOptions {
  return options.stage !== undefined || options.stateMachine !== undefined;
}

function located(command: Command, staged: (stage: Option) => Option): Command {
  const stage = new Option('--stage <stage>', 'stage of the deployment').choices(['dev', 'prod']);
  return command
    .addOption(staged(stage))
    .option('--name <name>', 'name of the deployment (churn:name of its configuration)', 'churn')
    .option('--region <region>', "Region of the deployment (default: the SDK's own)")
    .option(
      '--state-machine <arn>',
      'its state machine, instead of stage and name (or CHURN_STATE_MACHINE_ARN)',
    );
}

/** The options that identify the same pipeline. */
export function pipelineWords({ stage, name, region, stateMachine }: PipelineOptions): string {
  if (stateMachine !== undefined) return ` --state-machine ${stateMachine}`;
  return [
    stage === 'dev' ? '' : ` --stage ${stage}`,
    name === 'churn' ? '' : ` --name ${name}`,
    region === undefined ? '' : ` --region ${region}`,
  ].join('');
}
