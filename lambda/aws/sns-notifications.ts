/** The Notifications port over SNS. */
import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { Notifications } from '../ports.ts';

/** What SNS admits as a subject: up to 100 printable ASCII characters. */
const SUBJECT_CHARACTERS = 100;
/** A message may have 256 KiB; no explanation needs as much. */
const TEXT_CHARACTERS = 60_000;

export class SnsNotifications implements Notifications {
  readonly #client: SNSClient;
  readonly #topicArn: string;

  constructor(client: SNSClient, topicArn: string) {
    this.#client = client;
    this.#topicArn = topicArn;
  }

  async publish(subject: string, text: string): Promise<void> {
    await this.#client.send(
      new PublishCommand({
        TopicArn: this.#topicArn,
        Subject: subject.replaceAll(/\s*[^ -~]+\s*/g, ' ').slice(0, SUBJECT_CHARACTERS),
        Message: text.slice(0, TEXT_CHARACTERS),
      }),
    );
  }
}
