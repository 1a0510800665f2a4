/** Names of the data as people read them. A name that is not known is shown as it is. */
import { FEATURES } from '../../domain/features/catalogue.ts';
import { FEATURE_GROUPS } from '../../domain/features/measure.ts';
import { BASELINES, CANDIDATES, THRESHOLD_RULES } from '../../domain/models.ts';

interface Labelled {
  readonly name: string;
  readonly label: string;
}

function labeller(entries: readonly Labelled[]): (name: string) => string {
  const labels = new Map(entries.map(({ name, label }) => [name, label]));
  return (name) => labels.get(name) ?? name;
}

export const modelLabel = labeller([...CANDIDATES, ...BASELINES]);
export const featureLabel = labeller(FEATURES);
/** A user's reasons are groups of features. */
export const reasonLabel = labeller([...FEATURE_GROUPS, ...FEATURES]);
export const thresholdRuleLabel = labeller(THRESHOLD_RULES);
