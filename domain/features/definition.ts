/** What a feature is computed by, as a hash: a stored model may score only where all its inputs still mean the same. */
import { createHash } from 'node:crypto';
import { compileMeasure } from './compile.ts';
import type { Feature } from './measure.ts';

const HASH_CHARACTERS = 16;

/** Changes with the compiled SQL, the scale and what stands for a missing value; not with the texts for people. */
export function featureDefinition({ measure, scale, fill }: Feature): string {
  const { aggregates, expression } = compileMeasure(measure);
  const sorted = Object.entries(aggregates).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([sorted, expression, scale, fill]))
    .digest('hex')
    .slice(0, HASH_CHARACTERS);
}
