/** Results of steps without what differs from run to run. */
import { z } from 'zod';

/** Fields that hold times or ids. */
const TIMES_AND_IDS: readonly string[] = [
  'fitSeconds',
  'seconds',
  'snapshots',
  'featuresSnapshot',
  'version',
  'batchId',
  'etag',
];

/** @param names roots and ids that texts contain; longer ones first where one contains another */
export function comparableResult(json: string, names: readonly string[]): unknown {
  return z.json().parse(
    JSON.parse(json, (key, value: unknown) => {
      if (TIMES_AND_IDS.includes(key)) return undefined;
      return typeof value === 'string'
        ? names.reduce((text, name) => text.replaceAll(name, ''), value)
        : value;
    }),
  );
}
