/** The Spark steps, by name and in the order in which a run takes them. */
import type { StepName } from '../domain/run.ts';
import { buildFeatures } from './build-features.ts';
import { ingestEvents } from './ingest-events.ts';
import { scoreUsers } from './score-users.ts';
import type { Step } from './step.ts';
import { trainModels } from './train-models.ts';

export const STEPS = {
  'ingest-events': ingestEvents,
  'build-features': buildFeatures,
  'train-models': trainModels,
  'score-users': scoreUsers,
} as const satisfies Record<StepName, Step<unknown>>;
