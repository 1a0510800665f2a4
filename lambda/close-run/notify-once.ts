/**
 * Notifying people once that a run was closed, however often it is closed and by however many callers. The notifier
 * guarantees the "once"; the marker beside the run saves asking it again, and lets exactly one closing count as the one
 * that notified.
 */
import { CLOSED } from '../../domain/lake-objects.ts';
import type { Notice } from '../../domain/run.ts';
import type { Lake } from '../run/lake.ts';
import type { World } from '../run/world.ts';

/** Whether people were notified that the run was closed: the presence of the marker says so, whatever is in it. */
export async function wasNotified(lake: Lake, runId: string): Promise<boolean> {
  return lake.has(CLOSED.of(runId));
}

/** Notifies, unless that was done. True if this closing is the one that counts as having notified. */
export async function notifyOnce(
  { lake, notifications, clock }: World,
  runId: string,
  notice: Notice,
): Promise<boolean> {
  if (await wasNotified(lake, runId)) return false;
  await notifications.notifyOnce(runId, notice);
  const marker = { runId, ...notice, toldAt: clock.now().toISOString() };
  return (await lake.create(CLOSED.of(runId), marker)) === 'written';
}
