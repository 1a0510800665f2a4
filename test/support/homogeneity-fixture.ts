/** Samples compared with the other users, as train-models would say it of 20,000. */
import type { Homogeneity, SampleComparison, SampleDifference } from '../../domain/results.ts';

/** A feature of a sample. */
export function difference(feature: string, changed: Partial<SampleDifference> = {}): SampleDifference {
  return {
    feature,
    test: 'kolmogorov_smirnov',
    distance: 0.05,
    pValue: 0.2,
    adjusted: 1,
    smallestFound: 0.178,
    ...changed,
  };
}

const DIFFERENCES: readonly SampleDifference[] = [
  difference('label', {
    test: 'fisher_exact',
    distance: 0.01,
    pValue: 0.04,
    adjusted: 0.24,
    smallestFound: 0.15,
  }),
  difference('is_paid', { test: 'chi_square', distance: 0.03, pValue: 0.3 }),
  ...['events_per_day', 'songs_per_day', 'tenure_days', 'errors_per_day'].map((name) => difference(name)),
];

export const COMPARISONS: readonly [SampleComparison, SampleComparison] = [
  { sample: 'one_percent', users: 200, others: 19_800, cancelled: 9, differences: [...DIFFERENCES] },
  {
    sample: 'medium_set',
    users: 449,
    others: 19_551,
    cancelled: 20,
    differences: DIFFERENCES.map((one) => ({ ...one, smallestFound: 0.119 })),
  },
];

export const HOMOGENEITY: Homogeneity = { users: 20_000, samples: [...COMPARISONS] };
