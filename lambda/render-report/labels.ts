/** Names in the data as people read them. An unknown name is shown as it is. */
import { FEATURES } from '../../domain/features/catalogue.ts';
import { FEATURE_GROUPS } from '../../domain/features/measure.ts';

interface Labelled {
  readonly name: string;
  readonly label: string;
}

function labeller(entries: readonly Labelled[]): (name: string) => string {
  const labels = new Map(entries.map(({ name, label }) => [name, label]));
  return (name) => labels.get(name) ?? name;
}

export const featureLabel = labeller(FEATURES);
/** Reasons are sentences; in results of older versions they are groups of features. */
export const reasonLabel = labeller([...FEATURE_GROUPS, ...FEATURES]);
