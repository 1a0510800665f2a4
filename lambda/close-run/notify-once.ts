/**
 * Notifies the subscribers once that a run was closed, however often it is closed, even by several callers at the same
 * time. The notifier guarantees the "once"; the marker beside the run saves calling it again, and decides which of the
 * closings counts as the one that notified.
 */
import { KEYS } from '../../domain/lake.ts';
import type { Notice } from '../../domain/run.ts';
import type { Ports } from '../ports/ports.ts';
import type { FunctionContext } from '../run/context.ts';
import { jsonText, lakeUri } from '../run/json-objects.ts';

/** Whether the subscribers were notified that a run was closed: the marker exists, whatever it contains. */
export async function wasNotified(ports: Ports, context: FunctionContext, runId: string): Promise<boolean> {
  return (await ports.objects.read(markerUri(context, runId))) !== undefined;
}

/** Notifies, unless that was done before; returns whether this closing is the one that counts as having notified. */
export async function notifyOnce(
  ports: Ports,
  context: FunctionContext,
  runId: string,
  notice: Notice,
): Promise<boolean> {
  if (await wasNotified(ports, context, runId)) return false;
  await ports.notifications.notifyOnce(runId, notice);
  const marker = { runId, ...notice, toldAt: ports.clock.now().toISOString() };
  const outcome = await ports.objects.write(markerUri(context, runId), jsonText(marker), {
    condition: { kind: 'absent' },
    contentType: 'application/json',
  });
  return outcome === 'written';
}

function markerUri(context: FunctionContext, runId: string): string {
  return lakeUri(context.lakeRoot, KEYS.closed(runId));
}
