/** A state that runs one Spark step on the run's cluster. */
import { Token } from 'aws-cdk-lib';
import { JsonPath, type TaskStateBase } from 'aws-cdk-lib/aws-stepfunctions';
import { ActionOnFailure, EmrAddStep } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { STATES, type StepStateName } from '../../../domain/states.ts';
import type { Pipeline } from '../resources.ts';
import { EMR_RETRY } from '../retries.ts';
import { CLUSTER_ID } from './cluster.ts';
import { describedTask } from './described.ts';

/** Submits the step's script and waits for it. A failed step leaves the cluster running for CloseRun, which finds out why. */
export function runStep(on: Pipeline, name: StepStateName): TaskStateBase {
  const step = on.resources.steps[STATES[name].stepName];
  return new EmrAddStep(on.scope, name, {
    ...describedTask(name),
    clusterId: CLUSTER_ID,
    name,
    actionOnFailure: ActionOnFailure.CONTINUE,
    jar: 'command-runner.jar',
    // A list of arguments cannot contain a path, so an intrinsic function builds the list.
    args: Token.asList(
      JsonPath.array(
        'spark-submit',
        '--deploy-mode',
        'client',
        step.scriptUri,
        '--plan',
        JsonPath.stringAt('$.plan.planUri'),
      ),
    ),
    resultPath: JsonPath.DISCARD,
  }).addRetry(EMR_RETRY);
}
