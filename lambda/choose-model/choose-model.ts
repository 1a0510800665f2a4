/** ChooseModel: decides which model scores the users of a run and is in charge, and writes the choice with its reasons. */
import { type Choice, choiceText } from '../../domain/choice.ts';
import { CHOICE, PLAN, STEP_RESULT, TRAINING_DECISION } from '../../domain/lake-objects.ts';
import { type ChooseModelOutput, chooseModelInputSchema, type RunPlan } from '../../domain/run.ts';
import { requireUnchanged } from '../run/current.ts';
import type { Lake } from '../run/lake.ts';
import { requireLease } from '../run/lease.ts';
import { findScorer } from '../run/stored-model.ts';
import type { World } from '../run/world.ts';
import { chooseModel, currentness } from './decide.ts';
import { chooseWithoutTraining } from './without-training.ts';

/**
 * Writes the choice; a second call writes the same.
 * @throws LeaseLost when the run was closed in the meantime, ChampionChanged, InvalidResult
 */
export async function chooseModelOfRun(input: unknown, world: World): Promise<ChooseModelOutput> {
  const { lake } = world;
  const run = chooseModelInputSchema.parse(input);
  await requireLease(lake, run);
  const plan = await lake.read(PLAN.at(run.planUri));
  await requireUnchanged(lake, plan);
  const choice = await choiceOf(plan, lake);
  await lake.write(CHOICE.of(plan.runId), choice);
  const { scorer } = choice;
  return {
    scores: scorer === null ? 'no model' : `the model of run ${scorer.runId}`,
    reason: choiceText(choice),
  };
}

async function choiceOf(plan: RunPlan, lake: Lake): Promise<Choice> {
  const { results, trainingDecision } = plan.outputs;
  const features = await lake.read(STEP_RESULT['build-features'].at(results['build-features']));
  const { observationEnd } = features;
  const decided =
    trainingDecision === undefined ? undefined : await lake.read(TRAINING_DECISION.at(trainingDecision));
  if (decided?.decision === 'skip') {
    const { champion } = plan;
    const scorer = champion === null ? undefined : await findScorer(lake, champion, plan.training);
    const choice = chooseWithoutTraining({ plan, features, scorer, why: decided.reason });
    const { makesCurrent, reasons } = currentness(plan, observationEnd);
    return { ...choice, makesCurrent, reasons: [...choice.reasons, ...reasons] };
  }
  const ingest = await lake.read(STEP_RESULT['ingest-events'].at(results['ingest-events']));
  const training = await lake.read(STEP_RESULT['train-models'].at(results['train-models']));
  return chooseModel({ plan, training, ingest, observationEnd });
}
