/** Resuming a run that failed from its plan. */
import { CURRENT, PLAN, RUN_RECORD } from '../../domain/lake-objects.ts';
import type { RunRecord } from '../../domain/records.ts';
import type { RunPlan } from '../../domain/run.ts';
import type { Deployment } from '../run/deployment.ts';
import { PipelineError } from '../run/errors.ts';
import type { Lake } from '../run/lake.ts';

/**
 * The plan of the run that is to be resumed.
 * @throws CannotResume when there is none, the run succeeded, another run has changed the lake since, the plan is of another
 * release, whose steps may have written what these do not understand, or of another database, or another model is in charge
 */
export async function findResumable(
  lake: Lake,
  runId: string,
  { release, database }: Pick<Deployment, 'release' | 'database'>,
): Promise<RunPlan> {
  const plan = await lake.find(PLAN.of(runId));
  if (plan === undefined) {
    throw cannotResume(runId, 'has no plan: it never got that far, or there is no such run. Start a new run');
  }
  if (plan.value.verifies !== undefined) {
    throw cannotResume(
      runId,
      `only trained the model of run ${plan.value.verifies} again: \`churn models --verify ${plan.value.verifies}\` starts another such run`,
    );
  }
  for (const record of await recordsSince(lake, plan.value.plannedAt)) {
    if (record.run_id === runId && record.status === 'SUCCEEDED') {
      throw cannotResume(
        runId,
        'succeeded: there is nothing to resume. {"force": true} runs again on what is there',
      );
    }
    if (record.run_id !== runId && record.batch_id !== null) {
      const since = `run ${record.run_id} has changed the lake since`;
      throw cannotResume(runId, `was overtaken: ${since}. Resume that one if it failed, or start a new run`);
    }
  }
  if (plan.value.release !== release) {
    const releases = `release ${plan.value.release}, and this is release ${release}`;
    throw cannotResume(runId, `was planned by ${releases}; start a new run`);
  }
  if (plan.value.database !== database) {
    const databases = `database ${plan.value.database}, and this deployment has ${database}`;
    throw cannotResume(runId, `was planned for ${databases}; start a new run`);
  }
  if (((await lake.find(CURRENT))?.etag ?? null) !== plan.value.currentTag) {
    throw cannotResume(
      runId,
      'was planned before the model in charge was changed: its model was compared with another. Start a new run',
    );
  }
  return plan.value;
}

/** Records of the runs that ended since. */
export async function recordsSince(lake: Lake, plannedAt: string): Promise<readonly RunRecord[]> {
  const listed = await lake.list(RUN_RECORD);
  const recent = listed.filter(({ modifiedAt }) => modifiedAt >= new Date(plannedAt));
  const records = await Promise.all(recent.map(({ object }) => lake.find(object)));
  return records.flatMap((record) => record?.value ?? []);
}

function cannotResume(runId: string, why: string): PipelineError {
  return new PipelineError('CannotResume', `Run ${JSON.stringify(runId)} cannot be resumed: it ${why}.`);
}
