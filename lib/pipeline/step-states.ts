/** The states that run a Spark step, and the step each one runs. */
import type { StepName } from '../../domain/run.ts';

export const STEP_OF_STATE = {
  IngestEvents: 'ingest-events',
  BuildFeatures: 'build-features',
  TrainModels: 'train-models',
  ScoreUsers: 'score-users',
} as const satisfies Record<string, StepName>;

/** Name of a state that runs a Spark step; the EMR step carries the same name. */
export type StepState = keyof typeof STEP_OF_STATE;
