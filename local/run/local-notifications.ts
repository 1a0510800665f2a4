/**
 * The Notifications port: the notifier that would be deployed, interpreted; what it publishes becomes a line in a file
 * of the lake, which also shows that the subscribers were notified of a run.
 */
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Notice } from '../../domain/run.ts';
import type { Notifications } from '../../lambda/ports/ports.ts';
import { isCode, withFileLock } from '../adapters/file-lock.ts';
import { sns } from '../handlers/sns.ts';
import { startExecution } from '../interpreter/interpreter.ts';
import type { LocalStateMachine } from '../template/definition.ts';

const lineSchema = z.object({
  at: z.iso.datetime(),
  runId: z.string(),
  subject: z.string(),
  text: z.string(),
});

/** The message of a line; undefined where the line was cut off as it was written. */
function messageOf(line: string): z.infer<typeof lineSchema> | undefined {
  try {
    return lineSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

export interface LocalNotificationsProps {
  /** JSON lines, one a message. */
  readonly file: string;
  readonly notifier: LocalStateMachine;
}

export class LocalNotifications implements Notifications {
  readonly #file: string;
  readonly #notifier: LocalStateMachine;

  constructor({ file, notifier }: LocalNotificationsProps) {
    this.#file = file;
    this.#notifier = notifier;
  }

  async notifyOnce(runId: string, notice: Notice): Promise<'notified' | 'notified before'> {
    await mkdir(dirname(this.#file), { recursive: true });
    return withFileLock(this.#file, async () => {
      if (await this.#wasNotified(runId)) return 'notified before';
      const { arn, name, states } = this.#notifier;
      const execution = startExecution({
        definition: states,
        input: { ...notice },
        execution: { arn: `${arn.replace(':stateMachine:', ':execution:')}:${runId}`, name: runId },
        stateMachine: { arn, name },
        handlers: sns(({ subject, text, attributes }) => this.#keep({ ...attributes, subject, text })),
      });
      const ending = await execution.ended;
      if (ending.status !== 'SUCCEEDED') {
        throw new Error(`the notifier failed for run ${runId}: ${ending.error}: ${ending.cause}`);
      }
      return 'notified';
    });
  }

  async #keep(message: Readonly<Record<string, string>>): Promise<void> {
    const line = lineSchema.parse({ at: new Date().toISOString(), ...message });
    await appendFile(this.#file, `${JSON.stringify(line)}\n`);
  }

  async #wasNotified(runId: string): Promise<boolean> {
    const lines = await readFile(this.#file, 'utf8').catch((error: unknown) => {
      if (isCode(error, 'ENOENT')) return '';
      throw error;
    });
    return lines.split('\n').some((line) => messageOf(line)?.runId === runId);
  }
}
