/**
 * Telling people once that a run was closed, however often and by however many it is closed. The notifier sees to the
 * "once"; the marker beside the run spares asking it again, and lets one closing count as the one that told.
 */
import { z } from 'zod';
import { KEYS } from '../../lib/domain/lake.ts';
import { type Notice, noticeSchema } from '../../lib/domain/run.ts';
import type { FunctionContext } from '../context.ts';
import { findJson, jsonText, lakeUri } from '../json-objects.ts';
import type { Ports } from '../ports.ts';

/** A closing that people were told of, in the words of whoever wrote it. */
const markerSchema = z.strictObject({ runId: z.string(), ...noticeSchema.shape, toldAt: z.iso.datetime() });

/** Whether the closing of a run has been told. */
export async function wasTold(ports: Ports, context: FunctionContext, runId: string): Promise<boolean> {
  return (await findJson(ports.objects, markerUri(context, runId), markerSchema)) !== undefined;
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
  const marker: z.infer<typeof markerSchema> = { runId, ...notice, toldAt: ports.clock.now().toISOString() };
  const outcome = await ports.objects.write(markerUri(context, runId), jsonText(marker), {
    condition: { kind: 'absent' },
    contentType: 'application/json',
  });
  return outcome === 'written';
}

function markerUri(context: FunctionContext, runId: string): string {
  return lakeUri(context.lakeRoot, KEYS.closed(runId));
}
