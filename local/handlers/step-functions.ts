/** Step Functions on this machine: the one state machine that a run may start is its notifier. */
import { z } from 'zod';
import { noticeSchema } from '../../domain/run.ts';
import type { Notifications } from '../../lambda/ports/notifications.ts';
import { ALREADY_TOLD } from '../../lib/pipeline/states/publish.ts';
import { TaskError, type TaskHandlers } from '../interpreter/task.ts';
import { checkedParameters } from './parameters.ts';

const startSchema = z.looseObject({ StateMachineArn: z.string(), Name: z.string(), Input: noticeSchema });

export interface LocalStepFunctions {
  readonly notifierArn: string;
  readonly notifications: Notifications;
}

/** Handler of startExecution. AWS answers before the execution has ended; here it has ended then, and its failure is told. */
export function stepFunctions({ notifierArn, notifications }: LocalStepFunctions): TaskHandlers {
  return {
    'states:startExecution': async (parameters) => {
      const start = checkedParameters(startSchema, parameters, 'startExecution');
      if (start.StateMachineArn !== notifierArn) {
        throw new TaskError(
          'StepFunctions.StateMachineDoesNotExistException',
          `there is no state machine ${start.StateMachineArn} to be started by a run`,
        );
      }
      const executionArn = `${notifierArn.replace(':stateMachine:', ':execution:')}:${start.Name}`;
      if ((await notifications.notifyOnce(start.Name, start.Input)) === 'already notified') {
        throw new TaskError(ALREADY_TOLD[0], `Execution Already Exists: '${executionArn}'`);
      }
      return { ExecutionArn: executionArn, StartDate: new Date().toISOString() };
    },
  };
}
