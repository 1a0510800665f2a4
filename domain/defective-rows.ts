/** Rows that are refused because something is wrong with them: what the operator of the exporter should look at. */
import { FORGOTTEN_USER } from './events.ts';
import type { IngestResult } from './results.ts';

/** Refused rows without those of forgotten users, which have no defect. */
export function defectiveRows({ counts, refused }: Pick<IngestResult, 'counts' | 'refused'>): number {
  return counts.quarantined - (refused[FORGOTTEN_USER.code] ?? 0);
}
