/** DecideTraining: decides once whether the run trains; a retry and a run that resumes it find the decision. */
import { CURRENT, PLAN, STEP_RESULT, TRAINING_DECISION } from '../../domain/lake-objects.ts';
import { decideTrainingInputSchema } from '../../domain/run.ts';
import type { TrainingDecision } from '../../domain/training-decision.ts';
import { requireUnchanged } from '../run/current.ts';
import { requireLease } from '../run/lease.ts';
import { findScorer } from '../run/stored-model.ts';
import type { World } from '../run/world.ts';
import { decideTraining } from './decide.ts';

/** @throws LeaseLost when the run was closed in the meantime, ChampionChanged, InvalidResult */
export async function decideTrainingOfRun(input: unknown, world: World): Promise<TrainingDecision> {
  const { lake } = world;
  const run = decideTrainingInputSchema.parse(input);
  await requireLease(lake, run);
  const plan = await lake.read(PLAN.at(run.planUri));
  await requireUnchanged(lake, plan);
  const { results, trainingDecision } = plan.outputs;
  const place =
    trainingDecision === undefined
      ? TRAINING_DECISION.of(plan.runId)
      : TRAINING_DECISION.at(trainingDecision);
  const earlier = await lake.find(place);
  if (earlier !== undefined) return earlier.value;
  const features = await lake.read(STEP_RESULT['build-features'].at(results['build-features']));
  const scorer = plan.champion === null ? undefined : await findScorer(lake, plan.champion, plan.training);
  const decision = decideTraining({
    train: plan.train,
    cutoffs: features.cutoffs,
    last: (await lake.find(CURRENT))?.value.lastTraining,
    championProblem: scorer?.problem,
  });
  // Another attempt may have been faster: its decision holds.
  return (await lake.create(place, decision)) === 'written' ? decision : lake.read(place);
}
