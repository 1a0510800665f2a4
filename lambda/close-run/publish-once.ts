/**
 * Telling people once that a run was closed, however often and by however many it is closed. A marker is claimed
 * before publishing and completed after it; a claim that is never completed is taken over by the next who comes.
 */
import { z } from 'zod';
import { KEYS } from '../../lib/domain/lake.ts';
import type { FunctionContext } from '../context.ts';
import { findJson, jsonText, lakeUri } from '../json-objects.ts';
import type { Ports } from '../ports.ts';

const markerSchema = z.strictObject({
  runId: z.string(),
  subject: z.string(),
  text: z.string(),
  claimedAt: z.iso.datetime(),
  /** Null between claim and publication. */
  publishedAt: z.iso.datetime().nullable(),
});
type Marker = z.infer<typeof markerSchema>;

/** Publishing takes seconds: whoever claimed longer ago than this died over it. */
const CLAIM_MILLISECONDS = 30_000;
const WAIT_MILLISECONDS = 2_000;

/** Whether the closing of a run has been told. */
export async function wasPublished(ports: Ports, context: FunctionContext, runId: string): Promise<boolean> {
  const marker = await findJson(ports.objects, markerUri(context, runId), markerSchema);
  return marker !== undefined && marker.value.publishedAt !== null;
}

/** Publishes unless that was done; waits for another who is just about to. */
export async function publishOnce(
  ports: Ports,
  context: FunctionContext,
  runId: string,
  notice: { readonly subject: string; readonly text: string },
): Promise<'published' | 'published before'> {
  const uri = markerUri(context, runId);
  for (;;) {
    const found = await findJson(ports.objects, uri, markerSchema);
    const before = found?.value;
    if (before !== undefined && before.publishedAt !== null) return 'published before';
    const now = ports.clock.now();
    if (before !== undefined && now.getTime() - Date.parse(before.claimedAt) < CLAIM_MILLISECONDS) {
      await ports.clock.wait(WAIT_MILLISECONDS);
      continue;
    }
    const claim: Marker = { runId, ...notice, claimedAt: now.toISOString(), publishedAt: null };
    const outcome = await ports.objects.write(uri, jsonText(claim), {
      condition: found === undefined ? { kind: 'absent' } : { kind: 'unchanged', etag: found.etag },
      contentType: 'application/json',
    });
    if (outcome === 'conflict') continue;
    await ports.notifications.publish(notice.subject, notice.text);
    const published: Marker = { ...claim, publishedAt: ports.clock.now().toISOString() };
    await ports.objects.write(uri, jsonText(published), { contentType: 'application/json' });
    return 'published';
  }
}

function markerUri(context: FunctionContext, runId: string): string {
  return lakeUri(context.lakeRoot, KEYS.closed(runId));
}
