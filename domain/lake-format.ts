/** The format of a lake: raised by a release whose lakes an earlier release would read wrongly. */
import { z } from 'zod';

/**
 * 1: lakes without `lake.json`: the ledger has no days, no copies are kept, and a replaced file leaves its former rows.
 * 2: a file is the unit of truth.
 */
export const LAKE_FORMAT = 2;

export const lakeFormatSchema = z.object({
  format: z.number().int().min(1),
  /** The release that has brought the lake to this format. */
  release: z.string(),
});
export type LakeFormat = z.infer<typeof lakeFormatSchema>;

/** Why a lake cannot be used by this release, and what to do; undefined when it can: ingest migrates older ones. */
export function formatProblem(stored: LakeFormat | undefined): string | undefined {
  if (stored === undefined || stored.format <= LAKE_FORMAT) return undefined;
  return (
    `it has format ${stored.format} since release ${stored.release}, and this release knows formats up to ${LAKE_FORMAT}: ` +
    'deploy (or, for a local lake, check out) that release or a later one, or use another lake.'
  );
}
