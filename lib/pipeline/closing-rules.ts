/** What calls close-run besides the state machine itself: an event rule, and a sweep for what no event reported. */
import { Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';

export interface ClosingRulesProps {
  /**
   * The Lambda close-run, not a version of it: it closes runs of any deployment, whose objects the newest code reads, and
   * only calls without a version have their failures kept in the queue.
   */
  readonly closeRun: IFunction;
  /** Its executions are the runs. */
  readonly stateMachine: IStateMachine;
  /** Takes events that did not reach the Lambda. */
  readonly deadLetters: IQueue;
}

/** How often the sweep looks for runs that failed and were not closed, and for clusters without a run. */
export const SWEEP_MINUTES = 15;

/** They cover what no Catch sees: an abort, the time-out of the execution, a broken definition. */
export class ClosingRules extends Construct {
  constructor(scope: Construct, id: string, { closeRun, stateMachine, deadLetters }: ClosingRulesProps) {
    super(scope, id);
    const delivery = { deadLetterQueue: deadLetters, retryAttempts: 8, maxEventAge: Duration.hours(2) };
    new Rule(this, 'FailedExecutions', {
      description: 'Executions that failed, timed out or were aborted are closed',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: {
          status: ['FAILED', 'TIMED_OUT', 'ABORTED'],
          stateMachineArn: [stateMachine.stateMachineArn],
        },
      },
      targets: [new LambdaFunction(closeRun, delivery)],
    });
    new Rule(this, 'Sweep', {
      description: 'Runs that failed without an event are closed too',
      schedule: Schedule.rate(Duration.minutes(SWEEP_MINUTES)),
      targets: [
        new LambdaFunction(closeRun, { ...delivery, event: RuleTargetInput.fromObject({ sweep: true }) }),
      ],
    });
  }
}
