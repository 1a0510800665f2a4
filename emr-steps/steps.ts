/** The Spark steps, by name and in the order in which a run takes them. */
import { buildFeatures } from './build-features.ts';
import { ingestEvents } from './ingest-events.ts';
import { scoreUsers } from './score-users.ts';
import { trainModels } from './train-models.ts';

export const STEPS = {
  'ingest-events': ingestEvents,
  'build-features': buildFeatures,
  'train-models': trainModels,
  'score-users': scoreUsers,
} as const;
