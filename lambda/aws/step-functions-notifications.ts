/** The Notifications port: an execution of the notifier that is named like the run. */
import { ExecutionAlreadyExists, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { Notice } from '../../domain/run.ts';
import type { Notifications } from '../ports/ports.ts';

/** The longest subject that SNS accepts; it has to be printable ASCII. */
const SUBJECT_CHARACTERS = 100;
/** SNS accepts 256 KiB; no explanation needs that much. */
const TEXT_CHARACTERS = 60_000;

export class StepFunctionsNotifications implements Notifications {
  readonly #client: SFNClient;
  readonly #notifierArn: string;

  constructor(client: SFNClient, notifierArn: string) {
    this.#client = client;
    this.#notifierArn = notifierArn;
  }

  async notifyOnce(runId: string, { subject, text }: Notice): Promise<'notified' | 'notified before'> {
    const notice: Notice = {
      subject: subject.replaceAll(/\s*[^ -~]+\s*/g, ' ').slice(0, SUBJECT_CHARACTERS),
      text: text.slice(0, TEXT_CHARACTERS),
    };
    try {
      await this.#client.send(
        new StartExecutionCommand({
          stateMachineArn: this.#notifierArn,
          name: runId,
          input: JSON.stringify(notice),
        }),
      );
      return 'notified';
    } catch (error) {
      if (error instanceof ExecutionAlreadyExists) return 'notified before';
      throw error;
    }
  }
}
