/** The lease: which execution may write to the lake. */
import { z } from 'zod';

const holderSchema = z.strictObject({
  runId: z.string(),
  executionArn: z.string(),
  takenAt: z.iso.datetime(),
});
export type LeaseHolder = z.infer<typeof holderSchema>;

export const leaseSchema = z.strictObject({
  holder: holderSchema.nullable(),
  /** Which execution released it last, and when: no two contents of the object are ever the same. */
  released: z.strictObject({ executionArn: z.string(), at: z.iso.datetime() }).nullable(),
});
export type Lease = z.infer<typeof leaseSchema>;
