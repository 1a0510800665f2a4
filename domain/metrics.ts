/** Metrics by where they are shown and what they decide, and as people read them. Pure functions. */
import {
  METRICS,
  type Metric,
  type MetricDecision,
  type MetricName,
  type MetricPlace,
  MODELS,
  type ModelName,
} from './models.ts';

const ALL_METRICS: readonly Metric[] = METRICS;

/** The metrics shown in a place, in the order of METRICS. */
export function metricsShownIn(place: MetricPlace): readonly Metric[] {
  return ALL_METRICS.filter(({ shownIn }) => shownIn.includes(place));
}

/** The metrics that take part in a decision, in the order of METRICS. */
export function metricsThatDecide(decision: MetricDecision): readonly Metric[] {
  return ALL_METRICS.filter(({ decides }) => decides.includes(decision));
}

/** By this metric, out of fold, a run chooses its model. */
export const CHOICE_METRIC: Metric = onlyMetricThatDecides('choice');
/** By this metric promotion compares the challenger with the champion. */
export const CHAMPION_METRIC: Metric = onlyMetricThatDecides('champion');

/** Definition of a metric. */
export function metricOf(name: MetricName): Metric {
  const metric = ALL_METRICS.find((one) => one.name === name);
  if (metric === undefined) throw new RangeError(`There is no metric ${name}.`);
  return metric;
}

/** A metric's value with the metric's own digits: "0.763", "-1.7%". */
export function metricText({ digits, unit }: Pick<Metric, 'digits' | 'unit'>, value: number): string {
  return new Intl.NumberFormat('en', {
    style: unit === '%' ? 'percent' : 'decimal',
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    signDisplay: 'negative',
  }).format(value);
}

/** A metric's label as a heading begins: "Average precision". */
export function metricHeading({ label }: Pick<Metric, 'label'>): string {
  return `${label.charAt(0).toUpperCase()}${label.slice(1)}`;
}

/** Which values are better, in words. */
export function betterText({ better }: Pick<Metric, 'better'>): string {
  return better === 'nearer to 1' ? 'best at 1' : `${better} is better`;
}

/** How good a value is: the better of two values has the larger merit. */
export function metricMerit({ better }: Pick<Metric, 'better'>, value: number): number {
  if (better === 'higher') return value;
  return better === 'lower' ? -value : -Math.abs(value - 1);
}

/** A model's name as people read it. */
export function modelLabel(name: ModelName): string {
  return MODELS.find((model) => model.name === name)?.label ?? name;
}

function onlyMetricThatDecides(decision: MetricDecision): Metric {
  const [metric, ...others] = metricsThatDecide(decision);
  if (metric === undefined || others.length > 0) {
    throw new RangeError(`Exactly one metric must decide the ${decision}.`);
  }
  return metric;
}
