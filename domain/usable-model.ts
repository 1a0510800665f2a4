/** Whether a stored model can score: by its description, before anything is loaded. A pure function. */
import type { StoredModel } from './choice.ts';
import { FEATURES } from './features/catalogue.ts';
import { featureDefinition } from './features/definition.ts';

const DEFINITIONS = new Map(FEATURES.map((feature) => [feature.name, featureDefinition(feature)]));

/**
 * Why it cannot, as a clause; undefined when it can. TrainModels asks the same of the champion, in why_not_usable.
 * @param asked the horizon in days that is needed, and whose it is; undefined when it is not known
 */
export function whyNotUsable(
  { inputs, horizonDays, segmentDefinitions = {} }: StoredModel,
  asked: { readonly horizonDays: number; readonly by: string } | undefined,
): string | undefined {
  if (inputs.some(({ definition }) => definition === undefined)) {
    return 'an older version stored it, without the definitions of its inputs';
  }
  const read = new Map(inputs.map(({ name, definition }) => [name, definition]));
  for (const [name, definition] of Object.entries(segmentDefinitions)) read.set(name, definition);
  const changed = [...read].filter(([name, definition]) => DEFINITIONS.get(name) !== definition);
  if (changed.length > 0) {
    return `the feature catalogue has changed since (${changed.map(([name]) => name).join(', ')})`;
  }
  if (asked !== undefined && asked.horizonDays !== horizonDays) {
    return `it predicts ${horizonDays} days ahead, and ${asked.by} ${asked.horizonDays}`;
  }
  return undefined;
}
