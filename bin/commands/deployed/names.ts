/** Names and addresses of a deployed pipeline and its runs. Pure functions. */
import { DeployedError } from './errors.ts';

const STATE_MACHINE_ARN = /^arn:[^:]+:states:([a-z0-9-]+):\d{12}:stateMachine:[^:]+$/;
const RUN_ID = /^[A-Za-z0-9._-]{1,80}$/;

/**
 * Region of a state machine.
 * @throws DeployedError if the text is not the ARN of a state machine
 */
export function regionOf(stateMachineArn: string): string {
  const region = STATE_MACHINE_ARN.exec(stateMachineArn)?.[1];
  if (region === undefined) {
    throw new DeployedError(
      `${JSON.stringify(stateMachineArn)} is not the ARN of a state machine, which has the form ` +
        'arn:aws:states:REGION:ACCOUNT:stateMachine:NAME.',
    );
  }
  return region;
}

/** Name of a state machine, which is that of its deployment. */
export function stateMachineNameOf(stateMachineArn: string): string {
  return stateMachineArn.slice(stateMachineArn.lastIndexOf(':') + 1);
}

/**
 * ARN of a run's execution.
 * @param run the run's id, or the ARN itself
 * @throws DeployedError if it is neither, or belongs to another pipeline
 */
export function executionArnOf(stateMachineArn: string, run: string): string {
  const prefix = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:`;
  if (run.startsWith(prefix)) return run;
  if (!RUN_ID.test(run)) {
    throw new DeployedError(
      `${JSON.stringify(run)} is not a run of this pipeline: \`churn list\` shows its runs.`,
    );
  }
  return `${prefix}${run}`;
}

/** Id of an execution's run: the execution's name. */
export function runIdOf(executionArn: string): string {
  return executionArn.slice(executionArn.lastIndexOf(':') + 1);
}

/** Page of the Step Functions console that shows the execution. */
export function consoleLink(executionArn: string): string {
  const region = executionArn.split(':')[3] ?? '';
  return `https://${region}.console.aws.amazon.com/states/home?region=${region}#/v2/executions/details/${executionArn}`;
}

/** Id for a run that is started by hand. Ids of a kind sort by time; the suffix keeps them unique. */
export function newRunId(now: Date, suffix: string, kind: 'manual' | 'verify' = 'manual'): string {
  const time = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  return `${kind}-${time}-${suffix}`;
}
