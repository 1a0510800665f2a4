/** What a run that failed has left. Anything that cannot be read is passed over: the explanation must not fail. */
import { CHOICE, PLAN, STEP_ERROR, STEP_RESULT, TRAINING_DECISION } from '../../domain/lake-objects.ts';
import type { IngestResult, StepError } from '../../domain/results.ts';
import { type RunPlan, STEP_NAMES, type StepName } from '../../domain/run.ts';
import { stateOfStep, VERIFYING_STATES } from '../../domain/states.ts';
import type { TrainingDecision } from '../../domain/training-decision.ts';
import type { ClusterDescription } from '../ports/clusters.ts';
import type { World } from '../run/world.ts';

export interface Evidence {
  readonly plan: RunPlan | undefined;
  readonly ingest: IngestResult | undefined;
  /** Steps that have a result. */
  readonly finished: readonly StepName[];
  /** Errors of steps without a result, in the order of the steps. */
  readonly stepErrors: readonly StepError[];
  /** What DecideTraining decided, if it has. */
  readonly training: TrainingDecision['decision'] | undefined;
  /** Whether ChooseModel has written its choice. */
  readonly hasChoice: boolean;
  readonly clusters: readonly ClusterDescription[];
}

export async function gatherEvidence(
  { lake, clusters: allClusters }: Pick<World, 'lake' | 'clusters'>,
  runId: string,
): Promise<Evidence> {
  const plan = await lake.glimpse(PLAN.of(runId));
  const clusters = await allClusters.ofRun(runId);
  if (plan === undefined) {
    const none = { ingest: undefined, finished: [], stepErrors: [], training: undefined, hasChoice: false };
    return { plan, ...none, clusters };
  }
  const { results, errors, trainingDecision } = plan.outputs;
  // A run that verifies another has only trained: the other results are those of the other.
  const isOwn = plan.verifies === undefined;
  const finished: StepName[] = [];
  const stepErrors: StepError[] = [];
  for (const step of isOwn ? STEP_NAMES : STEP_NAMES.filter(isVerifying)) {
    if (await lake.has(STEP_RESULT[step].at(results[step]))) {
      finished.push(step);
    } else {
      const error = await lake.glimpse(STEP_ERROR[step].at(errors[step]));
      if (error !== undefined) stepErrors.push(error);
    }
  }
  const ingest = isOwn
    ? await lake.glimpse(STEP_RESULT['ingest-events'].at(results['ingest-events']))
    : undefined;
  const decided =
    trainingDecision === undefined ? undefined : await lake.glimpse(TRAINING_DECISION.at(trainingDecision));
  const training = decided?.decision;
  const hasChoice = await lake.has(CHOICE.of(runId));
  return { plan, ingest, finished, stepErrors, training, hasChoice, clusters };
}

function isVerifying(step: StepName): boolean {
  return VERIFYING_STATES.includes(stateOfStep(step));
}
