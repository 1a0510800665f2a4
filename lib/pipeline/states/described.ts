/** What every state of the definition takes from domain/states.ts. */
import { Duration } from 'aws-cdk-lib';
import { Timeout } from 'aws-cdk-lib/aws-stepfunctions';
import { STATES, type StateName, type TaskStateName } from '../../../domain/states.ts';

/** The comment of a state. */
export function described(name: StateName): { readonly comment: string } {
  return { comment: STATES[name].does };
}

/**
 * The comment and the time-out of a task.
 * @param minutes where the time-out is not known before the deployment is configured
 */
export function describedTask(
  name: TaskStateName,
  minutes: number = STATES[name].minutes,
): { readonly comment: string; readonly taskTimeout: Timeout } {
  return { ...described(name), taskTimeout: Timeout.duration(Duration.minutes(minutes)) };
}
