/** Rows of the table model_metrics. Pure functions. */
import { driftMetric } from '../../domain/drift-thresholds.ts';
import type { RunDetail } from '../../domain/records.ts';
import type { Estimate, ModelEvaluation, ScoringResult } from '../../domain/results.ts';

/** One figure; its keys are the columns of MODEL_METRICS in lake.ts. */
export interface MetricRow {
  readonly run_id: string;
  readonly model: string;
  readonly protocol: 'forward';
  readonly slice: 'all';
  readonly metric: string;
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

type Figure = readonly [metric: string, estimate: Estimate];

/** Every figure of every model, and the drift of what the chosen one read and gave. */
export function metricRows({ record, training, scoring }: RunDetail): readonly MetricRow[] {
  const rows = (model: string, figures: readonly Figure[]): readonly MetricRow[] =>
    figures.map(([metric, { value, low, high }]) => ({
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
    ...training.evaluations.flatMap((evaluation) => rows(evaluation.model, modelFigures(evaluation))),
    ...rows(training.chosen, driftFigures(scoring)),
  ];
}

/** Figures of a threshold are named `<rule>.<figure>`. */
function modelFigures({ metrics, decisions }: ModelEvaluation): readonly Figure[] {
  return [
    ...Object.entries(metrics),
    ...Object.entries(decisions).flatMap(([rule, decision]) =>
      Object.entries(decision).map(([name, value]): Figure => [`${rule}.${name}`, exactly(value)]),
    ),
  ];
}

function driftFigures({ drift }: ScoringResult): readonly Figure[] {
  return [
    [driftMetric('raw_score'), exactly(drift.score)],
    ...drift.features.map(({ feature, psi }): Figure => [driftMetric(feature), exactly(psi)]),
  ];
}

/** A figure without an interval. */
function exactly(value: number): Estimate {
  return { value, low: null, high: null };
}
