/** Local counterpart of SNS: passes a message to a function that keeps it. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { TaskHandlers } from '../interpreter/task.ts';
import { checkedParameters } from './parameters.ts';

const publishSchema = z.looseObject({
  TopicArn: z.string(),
  Subject: z.string().max(100).default(''),
  Message: z.string(),
  MessageAttributes: z
    .record(z.string(), z.object({ DataType: z.literal('String'), StringValue: z.string() }))
    .default({}),
});

export interface Message {
  readonly subject: string;
  readonly text: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export function sns(keep: (message: Message) => Promise<void>): TaskHandlers {
  return {
    'sns:publish': async (parameters) => {
      const {
        Subject: subject,
        Message: text,
        MessageAttributes,
      } = checkedParameters(publishSchema, parameters, 'publish');
      const attributes = Object.fromEntries(
        Object.entries(MessageAttributes).map(([name, { StringValue }]) => [name, StringValue]),
      );
      await keep({ subject, text, attributes });
      return { MessageId: randomUUID() };
    },
  };
}
