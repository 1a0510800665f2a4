/** JSON as one text, the same for all that mean the same to CloudFormation. */
import { type Json, type JsonObject, objectOf, withNames } from './template-graph.ts';

/** Lists of statements whose order means nothing; CDK sorts some of them by generated ids. */
const SETS: ReadonlySet<string> = new Set(['Action', 'Resource']);

/** @param nameOf what to call the node that a reference leads to */
export function canonicalText(value: Json, nameOf: (key: string) => string): string {
  return JSON.stringify(canonical(value, nameOf));
}

/** The value with its keys and sets sorted, and nodes named. */
export function canonical(value: Json, nameOf: (key: string) => string): Json {
  if (typeof value === 'string') return withNames(value, nameOf);
  if (Array.isArray(value)) return value.map((entry: Json) => canonical(entry, nameOf));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(objectOf(value) satisfies JsonObject)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, entry]) => {
        const named = canonical(entry, nameOf);
        return [key, SETS.has(key) && Array.isArray(named) ? sorted(named) : named];
      }),
  );
}

function sorted(list: readonly Json[]): readonly Json[] {
  return [...list]
    .map((entry): [string, Json] => [JSON.stringify(entry), entry])
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([, entry]) => entry);
}
