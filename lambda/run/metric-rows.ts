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
  type Slice,
  type TrainingResult,
} from '../../domain/results.ts';
import {
  RETROSPECTIVE_METRICS,
  RETROSPECTIVE_SLICES,
  type RetrospectiveMetric,
  type RetrospectiveModelName,
} from '../../domain/retrospective.ts';
import { scoringModel } from '../../domain/scoring-evaluation.ts';
import { sliceFigures, sliceName } from '../../domain/slice-figures.ts';
import type { SliceMetricName } from '../../domain/slices.ts';

/** What the column `metric` can hold: a metric, `<threshold rule>.<field of a decision>`, `psi.<column>`, `money.<figure>`, or a count of a slice. */
export type StoredMetricName =
  | MetricName
  | `${ThresholdRule}.${keyof Decision}`
  | DriftMetricName
  | MoneyMetricName
  | SliceMetricName;

/** One stored value; the keys are the columns of MODEL_METRICS in lake.ts. */
export interface MetricRow {
  readonly run_id: string;
  /** `champion`: the champion on this run's test rows. */
  readonly model: ModelName | RetrospectiveModelName | 'champion';
  /** `retrospective`: leaky, for comparison only. */
  readonly protocol: 'forward' | 'retrospective';
  /** `all`, or a part of the test users: `level=paid`; of the retrospective protocol which users. */
  readonly slice: string;
  readonly metric: StoredMetricName | RetrospectiveMetric;
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

type StoredMetric = readonly [name: StoredMetricName, estimate: Estimate];

/**
 * Every metric of every model, none where nothing was trained, those on slices too; and of the model that scored the drift of
 * the features and of the score, and the money.
 */
export function metricRows(detail: RunDetail): readonly MetricRow[] {
  const { record, training, scoring } = detail;
  const rows = (
    model: MetricRow['model'],
    metrics: readonly StoredMetric[],
    slice = 'all',
  ): readonly MetricRow[] =>
    metrics.map(([metric, { value, low, high }]) => ({
      run_id: record.run_id,
      model,
      protocol: 'forward',
      slice,
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
    ...(training?.slices ?? []).flatMap((slice) =>
      rows(slicedModel(slice, training), sliceMetrics(slice), sliceName(slice)),
    ),
    ...rows(scoringModel(detail), [...driftMetrics(scoring), ...moneyMetrics(detail)]),
    ...retrospectiveRows(detail),
  ];
}

function slicedModel({ model }: Slice, training: TrainingResult | null): MetricRow['model'] {
  return model === 'champion' ? model : (training?.chosen ?? 'base_rate');
}

/** Of a part of too few users, only how many they are. */
function sliceMetrics(slice: Slice): readonly StoredMetric[] {
  const { users, cancelled, predicted } = slice;
  const figures = sliceFigures(slice);
  const counted: StoredMetric = ['users', withoutInterval(users)];
  if (figures === undefined) return [counted];
  const { rate, predictedObserved, auc } = figures;
  return [
    counted,
    ['cancelled', withoutInterval(cancelled)],
    ['cancellation_rate', rate],
    ['predicted', withoutInterval(predicted)],
    ...(predictedObserved === undefined ? [] : [['predicted_over_observed', predictedObserved] as const]),
    ...(auc === undefined ? [] : [['auc', auc] as const]),
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
