/** Whether a run trains: what may be asked for, what is decided, and what is remembered of the last training. Zod schemas. */
import { z } from 'zod';
import { isoDate } from './fields.ts';

/** `when-new`: only if there is something to learn that the last training did not have. */
export const TRAIN_MODES = ['always', 'when-new', 'never'] as const;
export const trainModeSchema = z.enum(TRAIN_MODES);
export type TrainMode = z.infer<typeof trainModeSchema>;

/** Who asked for the mode: a run that only scores follows a person's decision about the model in charge. */
const askedBySchema = z.enum(['request', 'force', 'setting', 'rescoring']);

/** What DecideTraining goes by, as it was when the run was planned. */
export const trainSettingsSchema = z.strictObject({
  mode: trainModeSchema,
  askedBy: askedBySchema,
  /** Hash of everything but the rows that a training and its gates depend on. */
  fingerprint: z.string(),
});
export type TrainSettings = z.infer<typeof trainSettingsSchema>;

/** What DecideTraining decided, with the reason as a clause. */
export const trainingDecisionSchema = z.strictObject({
  decision: z.enum(['train', 'skip']),
  reason: z.string().min(1),
});
export type TrainingDecision = z.infer<typeof trainingDecisionSchema>;

/** What the last training learnt from, whether or not its model was promoted. */
export const lastTrainingSchema = z.strictObject({
  runId: z.string(),
  fingerprint: z.string(),
  /** The newest cutoff whose outcomes were known. */
  testCutoff: isoDate,
  /** The version of the rows of each cutoff, by cutoff. */
  cutoffs: z.record(isoDate, z.string()),
});
export type LastTraining = z.infer<typeof lastTrainingSchema>;
