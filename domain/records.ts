/** What is stored about a finished run, and what is current. Each is a zod schema. */
import { z } from 'zod';
import { count, isoDate, uri } from './fields.ts';
import {
  featuresResultSchema,
  ingestResultSchema,
  modelNameSchema,
  scoringResultSchema,
  trainingResultSchema,
} from './results.ts';
import { runPlanSchema } from './run.ts';

/** The run whose scores are current, and the champion. */
export const currentSchema = z.strictObject({
  runId: z.string(),
  batchId: z.string(),
  champion: z
    .strictObject({ runId: z.string(), modelUri: uri, testCutoff: isoDate, promotedAt: z.iso.datetime() })
    .nullable(),
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

/** Everything the report shows about a run that succeeded, and `churn run --json` summarizes. */
export const runDetailSchema = z.strictObject({
  record: runRecordSchema,
  plan: runPlanSchema,
  ingest: ingestResultSchema,
  features: featuresResultSchema,
  training: trainingResultSchema,
  scoring: scoringResultSchema,
  /** For each table, the rows counted by the SQL engine and the rows that the steps counted; they are equal. */
  reconciliation: z.array(z.strictObject({ table: z.string(), counted: count, expected: count })),
});
export type RunDetail = z.infer<typeof runDetailSchema>;
