/** A person puts a run's model in charge: while no run lives, under the lease, and only a model that can score. */
import type { DecisionByPerson } from '../../domain/choice.ts';
import { chosenEvaluation } from '../../domain/chosen-evaluation.ts';
import { CHAMPION_DETAIL, CURRENT, DECISION, modelIn, PLAN, RUN_RECORD } from '../../domain/lake-objects.ts';
import { BASELINES } from '../../domain/models.ts';
import { predictedObserved } from '../../domain/predicted-observed.ts';
import type { Current } from '../../domain/records.ts';
import { whyNotUsable } from '../../domain/usable-model.ts';
import { UserError } from '../../domain/user-error.ts';
import type { Lake } from './lake.ts';
import { releaseLease, takeLease } from './lease.ts';
import type { World } from './world.ts';

/** The model cannot be put in charge. */
export class InChargeError extends UserError {
  override readonly name = 'InChargeError';
}

export interface Request extends Pick<DecisionByPerson, 'action' | 'runId' | 'by' | 'why'> {
  /** ARN of an execution with that name: the lease names its holder by one. */
  readonly executionArnOf: (name: string) => string;
}

type Needed = Pick<World, 'lake' | 'clock' | 'executions' | 'clusters'>;

/**
 * Puts the model of a run in charge, and keeps the decision. The next run scores with it, even if there are no new files.
 * A rollback also stops promotions until a person promotes a model.
 * @throws InChargeError when a run lives, or there is no such model or it cannot score
 */
export async function putInCharge(world: Needed, request: Request): Promise<DecisionByPerson> {
  const { lake, clock } = world;
  const at = clock.now().toISOString();
  const name = `${request.action}-${at.replaceAll(/[-:.]/g, '')}`;
  const executionArn = request.executionArnOf(name);
  const lease = await takeLease(world, { runId: name, executionArn });
  if (lease.kind === 'refused') {
    throw new InChargeError(`The model in charge cannot be changed now: ${lease.reason}.`);
  }
  try {
    const decision = await change(lake, request, at);
    await lake.write(DECISION.of(name), decision);
    return decision;
  } finally {
    await releaseLease(world, executionArn);
  }
}

async function change(lake: Lake, request: Request, at: string): Promise<DecisionByPerson> {
  const { action, runId, by, why } = request;
  const current = await lake.find(CURRENT);
  if (current === undefined) {
    throw new InChargeError(
      `No run of the lake ${lake.root} has succeeded yet: there is no model to put in charge.`,
    );
  }
  const model = await scorable(lake, runId, current.value);
  const before = current.value.champion?.runId ?? null;
  const next: Current = {
    ...current.value,
    champion: { ...model, promotedAt: at },
    // Older versions scored with the run's own model.
    scoredUnder: current.value.scoredUnder === undefined ? current.value.runId : current.value.scoredUnder,
    manual: action === 'rollback' ? { by, at, why } : null,
  };
  if ((await lake.replace(CURRENT, current, next)) === 'conflict') {
    throw new InChargeError(`${lake.uri(CURRENT)} was changed by another process: run the command again.`);
  }
  return { action, runId, before, by, at, why };
}

/** The model of a run, if it can score the users of the current run. */
async function scorable(
  lake: Lake,
  runId: string,
  current: Current,
): Promise<Omit<NonNullable<Current['champion']>, 'promotedAt'>> {
  const refused = (why: string): InChargeError =>
    new InChargeError(
      `The model of run ${runId} cannot be put in charge: ${why}. \`churn models\` lists the models.`,
    );
  const record = await lake.find(RUN_RECORD.of(runId));
  if (record === undefined) throw refused('there is no such run');
  if (record.value.status !== 'SUCCEEDED') throw refused('the run failed');
  const detail = await lake.find(CHAMPION_DETAIL.of(runId));
  if (detail === undefined) throw refused('its detail is gone');
  const { training } = detail.value;
  if (training === null) throw refused('it trained none');
  const { chosen, modelUri, testCutoff } = training;
  if (BASELINES.some(({ name }) => name === chosen)) throw refused('it trained none: too few users cancel');
  const description = await lake.find(modelIn(modelUri));
  if (description === undefined) throw refused(`there are no files at ${modelUri}`);
  const plan = await lake.find(PLAN.of(current.runId));
  const horizonDays = plan?.value.training.horizonDays;
  const asked = horizonDays === undefined ? undefined : { horizonDays, by: 'the current run' };
  const problem = whyNotUsable(description.value, asked);
  if (problem !== undefined) throw refused(problem);
  const evaluation = chosenEvaluation(training);
  const withheld = evaluation !== undefined && predictedObserved(evaluation)?.credible === false;
  return { runId, modelUri, testCutoff, withheld };
}
