/** Step Functions on this machine: the only state machine that a run may start is its notifier. */
import { z } from 'zod';
import { noticeSchema } from '../../domain/run.ts';
import type { Notifications } from '../../lambda/ports/ports.ts';
import { ALREADY_NOTIFIED } from '../../lib/pipeline/states/publish.ts';
import { TaskError, type TaskHandlers } from '../interpreter/task.ts';
import { checkedParameters } from './parameters.ts';

const startSchema = z.looseObject({ StateMachineArn: z.string(), Name: z.string(), Input: noticeSchema });

export interface LocalStepFunctions {
  readonly notifierArn: string;
  readonly notifications: Notifications;
}

/** Handler of startExecution. AWS answers as soon as the execution has started; here it has ended by then, and its failure is reported. */
export function stepFunctions({ notifierArn, notifications }: LocalStepFunctions): TaskHandlers {
  return {
    'states:startExecution': async (parameters) => {
      const start = checkedParameters(startSchema, parameters, 'startExecution');
      if (start.StateMachineArn !== notifierArn) {
        throw new TaskError(
          'StepFunctions.StateMachineDoesNotExistException',
          `a run may start the notifier only, not the state machine ${start.StateMachineArn}`,
        );
      }
      const executionArn = `${notifierArn.replace(':stateMachine:', ':execution:')}:${start.Name}`;
      if ((await notifications.notifyOnce(start.Name, start.Input)) === 'notified before') {
        throw new TaskError(ALREADY_NOTIFIED[0], `Execution Already Exists: '${executionArn}'`);
      }
      return { ExecutionArn: executionArn, StartDate: new Date().toISOString() };
    },
  };
}
