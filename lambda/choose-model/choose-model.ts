/** ChooseModel: decides which model scores the users of a run and is in charge, and writes the choice with its reasons. */
import { choiceText } from '../../domain/choice.ts';
import { CHOICE, PLAN, STEP_RESULT } from '../../domain/lake-objects.ts';
import { type ChooseModelOutput, chooseModelInputSchema } from '../../domain/run.ts';
import { requireUnchanged } from '../run/current.ts';
import { requireLease } from '../run/lease.ts';
import type { World } from '../run/world.ts';
import { chooseModel } from './decide.ts';

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
  const { results } = plan.outputs;
  const ingest = await lake.read(STEP_RESULT['ingest-events'].at(results['ingest-events']));
  const features = await lake.read(STEP_RESULT['build-features'].at(results['build-features']));
  const training = await lake.read(STEP_RESULT['train-models'].at(results['train-models']));
  const { observationEnd } = features;
  const choice = chooseModel({ plan, training, ingest, observationEnd });
  await lake.write(CHOICE.of(plan.runId), choice);
  const { scorer } = choice;
  return {
    scores: scorer === null ? 'no model' : `the model of run ${scorer.runId}`,
    reason: choiceText(choice),
  };
}
