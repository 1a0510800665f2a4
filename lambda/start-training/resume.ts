/** Taking up the plan of a run that failed. */
import { KEYS } from '../../domain/lake.ts';
import { type RunRecord, runRecordSchema } from '../../domain/records.ts';
import { type RunPlan, runPlanSchema } from '../../domain/run.ts';
import type { Ports } from '../ports/ports.ts';
import type { FunctionContext } from '../run/context.ts';
import { PipelineError } from '../run/errors.ts';
import { findJson, lakeUri } from '../run/json-objects.ts';

/**
 * The plan to take up.
 * @throws CannotResume when there is none, the run succeeded, or another ran since and changed what it left
 */
export async function findResumable(ports: Ports, context: FunctionContext, runId: string): Promise<RunPlan> {
  const plan = await findJson(ports.objects, lakeUri(context.lakeRoot, KEYS.plan(runId)), runPlanSchema);
  if (plan === undefined) {
    throw cannotResume(runId, 'has no plan: it never got that far, or there is no such run. Start a new run');
  }
  for (const record of await recordsSince(plan.value.plannedAt, ports, context)) {
    if (record.run_id === runId && record.status === 'SUCCEEDED') {
      throw cannotResume(
        runId,
        'succeeded: there is nothing to take up. {"force": true} runs anew on what is there',
      );
    }
    if (record.run_id !== runId && record.batch_id !== null) {
      const since = `run ${record.run_id} has changed the lake since`;
      throw cannotResume(runId, `was overtaken: ${since}. Resume that one if it failed, or start a new run`);
    }
  }
  return plan.value;
}

/** Records of the runs that ended since. */
async function recordsSince(
  plannedAt: string,
  ports: Ports,
  context: FunctionContext,
): Promise<readonly RunRecord[]> {
  const objects = await ports.objects.list(lakeUri(context.lakeRoot, KEYS.runRecordsFolder));
  const recent = objects.filter(
    ({ uri, modifiedAt }) => uri.endsWith('.json') && modifiedAt >= new Date(plannedAt),
  );
  const records = await Promise.all(recent.map(({ uri }) => findJson(ports.objects, uri, runRecordSchema)));
  return records.flatMap((record) => record?.value ?? []);
}

function cannotResume(runId: string, why: string): PipelineError {
  return new PipelineError('CannotResume', `Run ${JSON.stringify(runId)} cannot be resumed: it ${why}.`);
}
