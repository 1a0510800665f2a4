/** What is stored about a finished run, and what is current. Each is a zod schema. */
import { z } from 'zod';
import { choiceSchema } from './choice.ts';
import { count, isoDate } from './fields.ts';
import { knownOutcomesSchema } from './outcomes.ts';
import {
  featuresResultSchema,
  ingestResultSchema,
  modelNameSchema,
  scoringResultSchema,
  trainingResultSchema,
} from './results.ts';
import { modelInChargeSchema, runPlanSchema } from './run.ts';
import { lastTrainingSchema, trainingDecisionSchema } from './training-decision.ts';

/** A person's decision about who is in charge. */
const personSchema = z.strictObject({ by: z.string(), at: z.iso.datetime(), why: z.string() });

/** The run whose scores are current, and the champion. */
export const currentSchema = z.strictObject({
  runId: z.string(),
  batchId: z.string(),
  champion: modelInChargeSchema.extend({ promotedAt: z.iso.datetime() }).nullable(),
  /**
   * The run whose model was in charge once the current scores were made: they are by it, unless it could not be used. When
   * a person puts another in charge, the scores have to be made again. Older versions did not write it.
   */
  scoredUnder: z.string().nullable().optional(),
  /** The scoring cutoff of the current scores. Older versions did not write it. */
  observationEnd: isoDate.optional(),
  /** Set by a rollback: challengers wait until a person promotes one. */
  manual: personSchema.nullable().optional(),
  /** What was last trained on, promoted or not. Older versions did not write it. */
  lastTraining: lastTrainingSchema.optional(),
});
export type Current = z.infer<typeof currentSchema>;

/** One row of the table `runs`; its keys are the columns of RUNS in lake.ts. */
export const runRecordSchema = z.strictObject({
  run_id: z.string(),
  status: z.enum(['SUCCEEDED', 'FAILED']),
  started_at: z.iso.datetime(),
  ended_at: z.iso.datetime(),
  batch_id: z.string().nullable(),
  rows_read: count.nullable(),
  rows_accepted: count.nullable(),
  rows_quarantined: count.nullable(),
  rows_duplicate: count.nullable(),
  users: count.nullable(),
  cancellations: count.nullable(),
  /** The chosen model. */
  model: modelNameSchema.nullable(),
  promoted: z.boolean().nullable(),
  promotion_reason: z.string().nullable(),
  /** Null when the run failed before it was planned. Rows of older versions lack it. */
  estimated_cost_usd: z.number().nullable().default(null),
  cost_usd: z.number().nullable(),
  /** Source of the prices of spot instances in cost_usd; null when there were none. Rows of older versions lack it. */
  spot_price_source: z.enum(['market', 'market and table', 'table']).nullable().default(null),
  error: z.string().nullable(),
});
export type RunRecord = z.infer<typeof runRecordSchema>;

/** A state of a run that does work: how long it took, and its part of the run's cost; null where that is unknown. */
export const stateCostSchema = z.strictObject({
  name: z.string(),
  seconds: z.number().nonnegative(),
  usd: z.number().nonnegative().nullable(),
});
export type StateCost = z.infer<typeof stateCostSchema>;

/** Everything the report shows about a run that succeeded, and `churn run --json` summarizes. */
export const runDetailSchema = z.strictObject({
  record: runRecordSchema,
  plan: runPlanSchema,
  ingest: ingestResultSchema,
  features: featuresResultSchema,
  /** Null when nothing was trained. */
  training: trainingResultSchema.nullable(),
  /** Whether models were trained, and why. Details of older versions lack it: they were. */
  trainingDecision: trainingDecisionSchema.optional(),
  /** Which model scored, and why. Details of older versions lack it: the run's own model did. */
  choice: choiceSchema.optional(),
  scoring: scoringResultSchema,
  /** What came true of earlier runs. Details of older versions lack it. */
  outcomes: knownOutcomesSchema.optional(),
  /** The states that had ended when the figures were stored, in order. Details of older versions lack it. */
  states: z.array(stateCostSchema).optional(),
  /** For each table, the rows counted by the SQL engine and the rows that the steps counted; they are equal. */
  reconciliation: z.array(z.strictObject({ table: z.string(), counted: count, expected: count })),
});
export type RunDetail = z.infer<typeof runDetailSchema>;

/** A run that has trained. */
export type TrainedDetail = RunDetail & { readonly training: NonNullable<RunDetail['training']> };

export function hasTrained(detail: RunDetail): detail is TrainedDetail {
  return detail.training !== null;
}
