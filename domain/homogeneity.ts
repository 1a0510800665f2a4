/**
 * Is a sample of the users enough? Samples are compared with all other users, feature by feature, at the newest cutoff whose
 * outcome is known. The scripts, the report and the docs are derived from here.
 */

/** A sample: a share of the users, or a number of them. */
export interface UserSample {
  readonly name: string;
  readonly label: string;
  readonly size: { readonly share: number } | { readonly users: number };
}

export const USER_SAMPLES = [
  { name: 'one_percent', label: '1% of the users', size: { share: 0.01 } },
  // So many users has the medium set of the published data, on which most analyses of it were made.
  { name: 'medium_set', label: 'As many as the published medium set has', size: { users: 449 } },
] as const satisfies readonly UserSample[];

/** How a sample is compared with the others. */
export const SAMPLE_TESTS = [
  { name: 'kolmogorov_smirnov', label: 'Kolmogorov-Smirnov' },
  { name: 'chi_square', label: 'chi-square' },
  /** In place of chi-square where a cell is expected to hold fewer than five users. */
  { name: 'fisher_exact', label: "Fisher's exact" },
] as const;

/** Samples that are a larger share of the users are not tested: they are like the whole because they are most of it. */
export const MOST_SAMPLED_SHARE = 0.1;
/** Fewer users can hardly differ from the others in a way that a test would find. */
export const LEAST_SAMPLED_USERS = 10;
/** Of large logs, a sample of so many users at most, compared with as many of the others. */
export const MOST_COMPARED_USERS = 20_000;
/** Chance that a sample like any other is said to differ in one of the features. */
export const SAMPLE_TEST_LEVEL = 0.05;
/** With this chance a distance is found that is as large as the smallest that is stated. */
export const SAMPLE_TEST_POWER = 0.8;
/** The name under which the label is compared, beside the features. */
export const COMPARED_LABEL = 'label';
/** A distance that would be called medium: that of normal distributions whose means differ by half a standard deviation. */
export const MEDIUM_DISTANCE = 0.2;
