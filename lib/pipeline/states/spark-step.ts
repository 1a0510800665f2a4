/** A state that runs one Spark step on the run's cluster. */
import { Duration, Token } from 'aws-cdk-lib';
import { JsonPath, type TaskStateBase, Timeout } from 'aws-cdk-lib/aws-stepfunctions';
import { ActionOnFailure, EmrAddStep } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Pipeline } from '../resources.ts';
import { EMR_RETRY } from '../retries.ts';
import { STEP_OF_STATE, type StepState } from '../step-states.ts';
import { CLUSTER_ID } from './cluster.ts';

/** Submits the step's script and waits for it. A failed step leaves the cluster to CloseRun, which reads why. */
export function runStep(on: Pipeline, name: StepState): TaskStateBase {
  const step = on.resources.steps[STEP_OF_STATE[name]];
  return new EmrAddStep(on.scope, name, {
    clusterId: CLUSTER_ID,
    name,
    actionOnFailure: ActionOnFailure.CONTINUE,
    jar: 'command-runner.jar',
    // A path inside a list of arguments is not allowed: the list is built by an intrinsic function.
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
    taskTimeout: Timeout.duration(Duration.minutes(step.timeoutMinutes)),
  }).addRetry(EMR_RETRY);
}
