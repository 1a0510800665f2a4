/**
 * Telling people once that a run was closed, however often and by however many it is closed. The notifier sees to the
 * "once"; the marker beside the run spares asking it again, and lets one closing count as the one that told.
 */
import { KEYS } from '../../domain/lake.ts';
import type { Notice } from '../../domain/run.ts';
import type { Ports } from '../ports/ports.ts';
import type { FunctionContext } from '../run/context.ts';
import { jsonText, lakeUri } from '../run/json-objects.ts';

/** Whether the closing of a run has been told: that the marker is there says so, whatever is in it. */
export async function wasTold(ports: Ports, context: FunctionContext, runId: string): Promise<boolean> {
  return (await ports.objects.read(markerUri(context, runId))) !== undefined;
}

/** Tells, unless that was done; the answer is whether this closing is the one that counts as having told. */
export async function tellOnce(
  ports: Ports,
  context: FunctionContext,
  runId: string,
  notice: Notice,
): Promise<boolean> {
  if (await wasTold(ports, context, runId)) return false;
  await ports.notifications.tellOnce(runId, notice);
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
