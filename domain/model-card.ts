/** The model card: where a stored model comes from, what it can do, and what it must not be used for. A pure function. */
import { z } from 'zod';
import type { StoredModel } from './choice.ts';
import { chosenEvaluation } from './chosen-evaluation.ts';
import { FEATURES } from './features/catalogue.ts';
import { featureDefinition } from './features/definition.ts';
import { isoDate, uri } from './fields.ts';
import type { TrainedDetail } from './records.ts';
import { modelEvaluationSchema } from './results.ts';
import { eventFileSchema, runPlanSchema } from './run.ts';

const INTENDED_USE =
  'Ranks living users of the service by how likely they are to cancel within the horizon, and gives calibrated ' +
  'probabilities, so that a limited number of them can be contacted. Scores hold for the scoring cutoff only.';
const LIMITS = [
  'It predicts, and does not explain: a reason of a user is no cause.',
  'It knows what is in the log. Users without a signed-in event before the cutoff have no score.',
  'Labels of users who were contacted are those of treated users: the more are contacted, the more the model learns the ' +
    'effect of contacting. The control group measures it.',
  'The figures are of one test cutoff. When drift is shown, they may not hold for the users that are scored.',
  'It is not to be used for decisions about a single person that have legal or similar effects.',
] as const;

export const modelCardSchema = z.strictObject({
  runId: z.string(),
  modelUri: uri,
  kind: z.string(),
  intendedUse: z.string(),
  limits: z.array(z.string()),
  data: z.strictObject({
    /** Iceberg snapshots that were read; while they exist, the training can be repeated. */
    snapshots: z.record(z.string(), z.string().nullable()),
    /** The batch that the run ingested; those of earlier batches are in the ledger. */
    batchId: z.string(),
    files: z.array(eventFileSchema),
    firstDay: isoDate,
    observationEnd: isoDate,
    cutoffs: z.array(z.looseObject({ cutoff: isoDate, role: z.string() })),
  }),
  inputs: z.array(z.strictObject({ name: z.string(), definition: z.string() })),
  /** Hash of the definitions of all features. */
  catalogue: z.string(),
  /** Parameters and seed. */
  training: runPlanSchema.shape.training,
  /** Names the scripts and packages that the steps were executed with. */
  release: z.string(),
  libraries: z.record(z.string(), z.string()),
  /** On the newest test rows. */
  figures: modelEvaluationSchema.nullable(),
});
export type ModelCard = z.infer<typeof modelCardSchema>;

/** The card of the model that a run trained. */
export function modelCard(
  { plan, ingest, features, training }: Pick<TrainedDetail, 'plan' | 'ingest' | 'features' | 'training'>,
  description: StoredModel,
  hash: (text: string) => string,
): ModelCard {
  return {
    runId: plan.runId,
    modelUri: training.modelUri,
    kind: training.chosen,
    intendedUse: INTENDED_USE,
    limits: [...LIMITS],
    data: {
      snapshots: {
        events: ingest.snapshots.events,
        user_days: features.snapshots.user_days,
        features: training.featuresSnapshot,
      },
      batchId: plan.batch.batchId,
      files: plan.batch.files,
      firstDay: features.firstDay,
      observationEnd: features.observationEnd,
      cutoffs: features.cutoffs,
    },
    inputs: description.inputs.map(({ name, definition = 'unknown' }) => ({ name, definition })),
    catalogue: hash(FEATURES.map((feature) => `${feature.name} ${featureDefinition(feature)}`).join('\n')),
    training: plan.training,
    release: plan.release,
    libraries: description.libraries ?? {},
    figures: chosenEvaluation(training) ?? null,
  };
}
