/** What measured-run.ts prints. */
import { z } from 'zod';
import { runSummarySchema } from '../local/run/run-summary.ts';

const edgeSchema = z.strictObject({
  at: z.number(),
  times: z.strictObject({ all: z.number(), java: z.number(), python: z.number() }),
});
const intervalSchema = z.strictObject({ from: edgeSchema, until: edgeSchema });
export const measuredRunSchema = z.strictObject({
  summary: runSummarySchema,
  /** Every visit of a task state, in order. */
  visits: z.array(z.strictObject({ name: z.string(), ...intervalSchema.shape })),
  /** From where Spark was asked for to where the first step could begin; missing if there was no step. */
  start: intervalSchema.optional(),
});
export type MeasuredRun = z.infer<typeof measuredRunSchema>;
