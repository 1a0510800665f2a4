/**
 * Plans a run that only trains a stored model again, to be compared with it: docs/decisions/verify-a-model.md. It takes no
 * lease, because nothing that it writes is read by another run.
 */
import { SNAPSHOT_RETENTION_DAYS } from '../../domain/lake.ts';
import { PLAN, STEP_RESULT } from '../../domain/lake-objects.ts';
import type { PlanRunInput, PlanRunOutput, RunPlan } from '../../domain/run.ts';
import { PipelineError } from '../run/errors.ts';
import type { World } from '../run/world.ts';
import { checkAccount } from './account.ts';
import { runDecision, verifyingPlan } from './build-plan.ts';

const DAY_MILLISECONDS = 86_400_000;

/** @throws CannotVerify saying why the training cannot be repeated; AccountNotReady, OverBudget */
export async function planVerification(
  world: World,
  run: PlanRunInput,
  verified: string,
): Promise<PlanRunOutput> {
  const { lake, clock, deployment } = world;
  const earlier = await lake.find(PLAN.of(run.runId));
  if (earlier !== undefined) return runDecision(earlier.value);
  const plan = verifyingPlan(await findVerifiable(world, verified), { ...run, plannedAt: clock.now() });
  const { estimatedUsd } = plan.cluster;
  const { budgetUsd } = deployment.settings;
  if (estimatedUsd > budgetUsd) {
    throw new PipelineError(
      'OverBudget',
      `A run on the cluster of run ${verified} is estimated at ${estimatedUsd} USD at most, over the budget of ${budgetUsd} USD: ` +
        'raise budgetUsd (context key churn:run) and deploy.',
    );
  }
  await checkAccount(world, plan.cluster);
  const outcome = await lake.create(PLAN.of(run.runId), plan);
  // Another try of this state may have been faster: its plan is the one that the step will read.
  return runDecision(outcome === 'written' ? plan : await lake.read(PLAN.of(run.runId)));
}

/** The plan of the run that is verified, if its training can be repeated by this deployment. */
async function findVerifiable(
  { lake, clock, deployment }: Pick<World, 'lake' | 'clock' | 'deployment'>,
  runId: string,
): Promise<RunPlan> {
  const stored = await lake.find(PLAN.of(runId));
  if (stored === undefined) {
    throw cannotVerify(runId, 'has no plan: there is no such run. `churn models` lists the runs');
  }
  const plan = stored.value;
  if (plan.verifies !== undefined) {
    throw cannotVerify(
      runId,
      `was itself started to verify run ${plan.verifies}: name that one, or another run that has trained`,
    );
  }
  if (!(await lake.has(STEP_RESULT['train-models'].at(plan.outputs.results['train-models'])))) {
    throw cannotVerify(runId, 'has trained no model: name a run that has (`churn models` lists the runs)');
  }
  if (plan.release !== deployment.release || plan.database !== deployment.database) {
    throw cannotVerify(
      runId,
      `was planned by release ${plan.release} for database ${plan.database}, and this is release ${deployment.release} with ` +
        `database ${deployment.database}: other code may train another model. Verify a run of this release`,
    );
  }
  const days = (clock.now().getTime() - Date.parse(plan.plannedAt)) / DAY_MILLISECONDS;
  if (days >= SNAPSHOT_RETENTION_DAYS) {
    throw cannotVerify(
      runId,
      `was planned ${Math.floor(days)} days ago, and the snapshots from which it trained are kept for ${SNAPSHOT_RETENTION_DAYS}: ` +
        'verify a newer run',
    );
  }
  return plan;
}

function cannotVerify(runId: string, why: string): PipelineError {
  return new PipelineError('CannotVerify', `Run ${JSON.stringify(runId)} cannot be verified: it ${why}.`);
}
