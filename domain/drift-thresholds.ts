/** What drift means: when it is worth a look, when it raises an alarm, and which features never raise one. */
import { FEATURES } from './features/catalogue.ts';
import type { Drift } from './results.ts';

/** Population stability index from which drift is worth a look, and from which it raises an alarm. */
export const DRIFT_THRESHOLDS = { watch: 0.1, alarm: 0.25 } as const;

/** Prefix of the names of stability indices in the table model_metrics. */
export const DRIFT_METRIC_PREFIX = 'psi.';

export type DriftLevel = 'steady' | 'watch' | 'alarm';

export function driftLevel(index: number): DriftLevel {
  if (index >= DRIFT_THRESHOLDS.alarm) return 'alarm';
  return index >= DRIFT_THRESHOLDS.watch ? 'watch' : 'steady';
}

const EXEMPT: ReadonlySet<string> = new Set(
  FEATURES.filter(({ drift }) => drift === 'exempt').map(({ name }) => name),
);

export type DriftMetricName = `${typeof DRIFT_METRIC_PREFIX}${string}`;

/** Name in the table model_metrics of the index of a feature, or of the column that holds the score. */
export function driftMetric(column: string): DriftMetricName {
  return `${DRIFT_METRIC_PREFIX}${column}`;
}

/** Whether a feature changes with the age of the log by itself, so that its drift is expected. */
export function isExemptFromDriftAlarm(feature: string): boolean {
  return EXEMPT.has(feature);
}

/** Largest index of the features that may raise an alarm; 0 when there is none. */
export function largestFeatureDrift({ features }: Drift): number {
  return Math.max(
    0,
    ...features.flatMap(({ feature, psi }) => (isExemptFromDriftAlarm(feature) ? [] : [psi])),
  );
}

/** 95% quantile of the chi-square distribution with nine degrees of freedom: ten bins. */
const CHI_SQUARE = 16.919;

/**
 * The index that one feature in 20 reaches by chance when nothing has changed
 * (Yurdakul, Statistical Properties of Population Stability Index, 2018).
 */
export function driftByChance(testedUsers: number, scoredUsers: number): number {
  return CHI_SQUARE * (1 / testedUsers + 1 / scoredUsers);
}
