/** Whether a model that was trained again is the one that was stored: every value that differs. Pure functions. */

/** How far two numbers may be apart, as a share of the larger one. */
export const TOLERANCE = 1e-6;
/** What is nearer to 0 than this is what rounding leaves of a sum, and equal to 0. */
const ROUNDING = 1e-9;

/** Keys whose values are not compared, wherever they are, each with the reason. */
export const NOT_COMPARED: Readonly<Record<string, string>> = {
  fitSeconds: 'how long fitting took',
  modelUri: 'where the model is stored',
};

/** A value that two trainings do not share; undefined where one of them has none. */
export interface Difference {
  /** Document, keys and positions that lead to it: `model.json segments.regression.intercept`. */
  readonly place: string;
  readonly stored: unknown;
  readonly again: unknown;
}

/**
 * Every value of two JSON documents in which they differ, in the order of the first. Lists of different lengths are one
 * difference, of their lengths.
 * @param document what both are, in the places that are named
 */
export function differences(document: string, stored: unknown, again: unknown): readonly Difference[] {
  return differencesAt({ document, path: '' }, stored, again);
}

interface Place {
  readonly document: string;
  readonly path: string;
}

function differencesAt(place: Place, stored: unknown, again: unknown): readonly Difference[] {
  if (Array.isArray(stored) && Array.isArray(again)) {
    if (stored.length !== again.length) {
      return [difference({ ...place, path: `${place.path}.length` }, stored.length, again.length)];
    }
    return stored.flatMap((value, index) =>
      differencesAt({ ...place, path: `${place.path}[${index}]` }, value, again[index]),
    );
  }
  if (isRecord(stored) && isRecord(again)) {
    const keys = [...new Set([...Object.keys(stored), ...Object.keys(again)])];
    return keys
      .filter((key) => !Object.hasOwn(NOT_COMPARED, key))
      .flatMap((key) => differencesAt({ ...place, path: `${place.path}.${key}` }, stored[key], again[key]));
  }
  return isEqual(stored, again) ? [] : [difference(place, stored, again)];
}

function difference({ document, path }: Place, stored: unknown, again: unknown): Difference {
  return { place: `${document} ${path.replace(/^\./, '')}`.trimEnd(), stored, again };
}

function isEqual(stored: unknown, again: unknown): boolean {
  if (typeof stored !== 'number' || typeof again !== 'number') return stored === again;
  const larger = Math.max(Math.abs(stored), Math.abs(again));
  return larger < ROUNDING || Math.abs(stored - again) <= TOLERANCE * larger;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
