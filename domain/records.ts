/** What is kept of a run that ended, and what is current. Each is a zod schema. */
import { z } from 'zod';
import { count, isoDate, uri } from './fields.ts';
import {
  featuresResultSchema,
  ingestResultSchema,
  scoringResultSchema,
  trainingResultSchema,
} from './results.ts';
import { runPlanSchema } from './run.ts';

/** The model in charge and the run whose scores are current. */
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
  model: z.string().nullable(),
  promoted: z.boolean().nullable(),
  promotion_reason: z.string().nullable(),
  /** Null when the run failed before it was planned. Rows written before it was kept lack it. */
  estimated_cost_usd: z.number().nullable().default(null),
  cost_usd: z.number().nullable(),
  /**
   * Where the prices of spot instances in it came from; null when there were none. Rows written before it was kept
   * lack it.
   */
  spot_price_source: z.enum(['market', 'market and table', 'table']).nullable().default(null),
  error: z.string().nullable(),
});
export type RunRecord = z.infer<typeof runRecordSchema>;

/** All that is known of a run that succeeded: what the report shows and `churn run --json` sums up. */
export const runDetailSchema = z.strictObject({
  record: runRecordSchema,
  plan: runPlanSchema,
  ingest: ingestResultSchema,
  features: featuresResultSchema,
  training: trainingResultSchema,
  scoring: scoringResultSchema,
  /** Table counted by the SQL engine against the count a step took: table, counted, expected. */
  reconciliation: z.array(z.strictObject({ table: z.string(), counted: count, expected: count })),
});
export type RunDetail = z.infer<typeof runDetailSchema>;
