/** Rows of the table model_metrics. Pure functions. */
import { type DriftMetricName, driftMetric } from '../../domain/drift-thresholds.ts';
import {
  METRICS,
  type MetricName,
  type ModelName,
  THRESHOLD_RULES,
  type ThresholdRule,
} from '../../domain/models.ts';
import { type MoneyMetricName, moneyMetrics } from '../../domain/money-metrics.ts';
import type { RunDetail } from '../../domain/records.ts';
import {
  type Decision,
  decisionSchema,
  type Estimate,
  type ModelEvaluation,
  type ScoringResult,
} from '../../domain/results.ts';
import {
  RETROSPECTIVE_METRICS,
  RETROSPECTIVE_SLICES,
  type RetrospectiveMetric,
  type RetrospectiveModelName,
  type RetrospectiveSlice,
} from '../../domain/retrospective.ts';
import { scoringModel } from '../../domain/scoring-evaluation.ts';

/** What the column `metric` can hold: a metric, `<threshold rule>.<field of a decision>`, `psi.<column>`, or `money.<figure>`. */
export type StoredMetricName =
  | MetricName
  | `${ThresholdRule}.${keyof Decision}`
  | DriftMetricName
  | MoneyMetricName;

/** One stored value; the keys are the columns of MODEL_METRICS in lake.ts. */
export interface MetricRow {
  readonly run_id: string;
  /** `champion`: the champion on this run's test rows. */
  readonly model: ModelName | RetrospectiveModelName | 'champion';
  /** `retrospective`: leaky, for comparison only. */
  readonly protocol: 'forward' | 'retrospective';
  readonly slice: 'all' | RetrospectiveSlice;
  readonly metric: StoredMetricName | RetrospectiveMetric;
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

type StoredMetric = readonly [name: StoredMetricName, estimate: Estimate];

/** Every metric of every model, none where nothing was trained, and of the model that scored the drift of the features and of the score, and the money. */
export function metricRows(detail: RunDetail): readonly MetricRow[] {
  const { record, training, scoring } = detail;
  const rows = (model: MetricRow['model'], metrics: readonly StoredMetric[]): readonly MetricRow[] =>
    metrics.map(([metric, { value, low, high }]) => ({
      run_id: record.run_id,
      model,
      protocol: 'forward',
      slice: 'all',
      metric,
      value,
      low,
      high,
    }));
  return [
    ...(training?.evaluations ?? []).flatMap((evaluation) =>
      rows(evaluation.model, evaluationMetrics(evaluation)),
    ),
    ...(training?.champion?.evaluation != null
      ? rows('champion', evaluationMetrics(training.champion.evaluation))
      : []),
    ...rows(scoringModel(detail), [...driftMetrics(scoring), ...moneyMetrics(detail)]),
    ...retrospectiveRows(detail),
  ];
}

/** Figures of the retrospective protocol; none where the run has not done it. */
function retrospectiveRows({ record, training }: RunDetail): readonly MetricRow[] {
  return (training?.retrospective?.evaluations ?? []).flatMap(({ model, figures }) =>
    RETROSPECTIVE_SLICES.flatMap(({ name: slice }) =>
      RETROSPECTIVE_METRICS.map(
        ({ name: metric }): MetricRow => ({
          run_id: record.run_id,
          model,
          protocol: 'retrospective',
          slice,
          metric,
          ...withoutInterval(figures[slice][metric]),
        }),
      ),
    ),
  );
}

function evaluationMetrics({ metrics, decisions }: ModelEvaluation): readonly StoredMetric[] {
  return [
    ...METRICS.flatMap(({ name }): readonly StoredMetric[] => {
      const estimate = metrics[name];
      return estimate === undefined ? [] : [[name, estimate]];
    }),
    ...THRESHOLD_RULES.flatMap(({ name }) => decisionMetrics(name, decisions[name])),
  ];
}

function decisionMetrics(rule: ThresholdRule, decision: Decision | undefined): readonly StoredMetric[] {
  if (decision === undefined) return [];
  return decisionSchema
    .keyof()
    .options.map((field): StoredMetric => [`${rule}.${field}`, withoutInterval(decision[field])]);
}

function driftMetrics({ drift }: ScoringResult): readonly StoredMetric[] {
  return [
    [driftMetric('raw_score'), withoutInterval(drift.score)],
    ...drift.features.map(({ feature, psi }): StoredMetric => [driftMetric(feature), withoutInterval(psi)]),
  ];
}

function withoutInterval(value: number): Estimate {
  return { value, low: null, high: null };
}
