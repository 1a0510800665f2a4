/** SNS on this machine: a message becomes a notification of the lake. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Notifications } from '../../lambda/ports.ts';
import type { TaskHandlers } from '../interpreter/task.ts';
import { checkedParameters } from './parameters.ts';

const publishSchema = z.looseObject({
  TopicArn: z.string(),
  Subject: z.string().max(100).default(''),
  Message: z.string(),
});

export function sns(notifications: Notifications): TaskHandlers {
  return {
    'sns:publish': async (parameters) => {
      const { Subject: subject, Message: text } = checkedParameters(publishSchema, parameters, 'publish');
      await notifications.publish(subject, text);
      return { MessageId: randomUUID() };
    },
  };
}
