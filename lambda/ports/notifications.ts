/** Notifications of the subscribers about runs. */
import type { Notice } from '../../domain/run.ts';

/** `already notified`: they were sent a notice about that run before, and this one was not sent. */
export type NotifyOutcome = 'notified' | 'already notified';

export interface Notifications {
  /**
   * Notifies the subscribers, unless they were notified about that run before, by any caller and with any notice.
   * Calling it again after a call whose answer was lost is safe.
   */
  notifyOnce(runId: string, notice: Notice): Promise<NotifyOutcome>;
}
