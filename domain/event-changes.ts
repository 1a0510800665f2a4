/** How a batch changed the events of the lake, in words. */
import type { IngestResult } from './results.ts';

const WHOLE = new Intl.NumberFormat('en');

/** "7,200 events, of which ..."; undefined for results of older versions. */
export function lakeText({
  lake,
  changes,
  counts,
}: Pick<IngestResult, 'lake' | 'changes' | 'counts'>): string | undefined {
  if (lake === undefined) return undefined;
  const events = `${WHOLE.format(lake.events)} events`;
  if (changes === undefined || changes === null) return events;
  const { before, takenAway, returned } = changes;
  const parts = [
    `${WHOLE.format(before)} before`,
    `${WHOLE.format(takenAway)} taken away`,
    `${WHOLE.format(counts.accepted)} accepted`,
    `${WHOLE.format(returned)} returned`,
  ];
  return `${events}: ${parts.join(', ')}`;
}
