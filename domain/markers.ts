/** Objects whose presence says what has happened; their contents are for people. */
import { z } from 'zod';
import { noticeSchema } from './run.ts';

/** Closing of a run of which people were notified, and what they were sent. */
export const closedSchema = z.strictObject({
  runId: z.string(),
  ...noticeSchema.shape,
  toldAt: z.iso.datetime(),
});

/** A start that was refused because another run is alive. */
export const refusedSchema = z.strictObject({ reason: z.string() });

/** The first sweep, from which a pipeline that has never succeeded is measured. */
export const watchedSinceSchema = z.strictObject({ watchedSince: z.iso.datetime() });
