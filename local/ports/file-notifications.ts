/** The Notifications port: a line in a file of the lake, shown to whoever runs the pipeline. */
import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Notifications } from '../../lambda/ports.ts';

export interface Notification {
  readonly subject: string;
  readonly text: string;
}

export class FileNotifications implements Notifications {
  readonly #file: string;
  readonly #published: Notification[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  async publish(subject: string, text: string): Promise<void> {
    await mkdir(dirname(this.#file), { recursive: true });
    await appendFile(this.#file, `${JSON.stringify({ at: new Date().toISOString(), subject, text })}\n`);
    this.#published.push({ subject, text });
  }

  /** What this process has published, oldest first. */
  get published(): readonly Notification[] {
    return this.#published;
  }
}
