/** Rows of the table model_metrics. Pure functions. */
import type { TrainingResult } from '../../lib/domain/results.ts';

/** One figure; its keys are the columns of MODEL_METRICS in lake.ts. */
export interface MetricRow {
  readonly run_id: string;
  readonly model: string;
  readonly protocol: 'forward';
  readonly slice: 'all';
  readonly metric: string;
  readonly value: number;
}

/** Every figure of every model; those of a threshold are named `<rule>.<figure>`. */
export function metricRows(runId: string, training: TrainingResult): readonly MetricRow[] {
  return training.evaluations.flatMap(({ model, metrics, decisions }) => {
    const row = (metric: string, value: number): MetricRow => ({
      run_id: runId,
      model,
      protocol: 'forward',
      slice: 'all',
      metric,
      value,
    });
    return [
      ...Object.entries(metrics).map(([metric, estimate]) => row(metric, estimate.value)),
      ...Object.entries(decisions).flatMap(([rule, decision]) =>
        Object.entries(decision).map(([name, value]) => row(`${rule}.${name}`, value)),
      ),
    ];
  });
}
