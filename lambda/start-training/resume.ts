/** Taking up the plan of a run that failed. */
import { KEYS } from '../../lib/domain/lake.ts';
import { type RunPlan, runPlanSchema, runRecordSchema } from '../../lib/domain/run.ts';
import type { FunctionContext } from '../context.ts';
import { PipelineError } from '../errors.ts';
import { findJson, lakeUri } from '../json-objects.ts';
import type { Ports } from '../ports.ts';
import type { LedgeredBatch } from './batches.ts';
import { identity } from './event-files.ts';

/**
 * The plan to take up.
 * @throws CannotResume when there is none, the run succeeded, or its files have come into the lake otherwise
 */
export async function findResumable(
  ports: Ports,
  context: FunctionContext,
  runId: string,
  ledger: readonly LedgeredBatch[],
): Promise<RunPlan> {
  const plan = await findJson(ports.objects, lakeUri(context.lakeRoot, KEYS.plan(runId)), runPlanSchema);
  if (plan === undefined) {
    throw cannotResume(runId, 'has no plan: it never got that far, or there is no such run. Start a new run');
  }
  const record = await findJson(
    ports.objects,
    lakeUri(context.lakeRoot, KEYS.runRecord(runId)),
    runRecordSchema,
  );
  if (record?.value.status === 'SUCCEEDED') {
    throw cannotResume(
      runId,
      'succeeded: there is nothing to take up. {"force": true} runs anew on what is there',
    );
  }
  const overtaken = overtakingBatch(plan.value, ledger);
  if (overtaken !== undefined) {
    throw cannotResume(runId, `was overtaken: batch ${overtaken} took its files in since. Start a new run`);
  }
  return plan.value;
}

/** The batch that holds files of the plan's own, which is not in the ledger itself. */
function overtakingBatch(plan: RunPlan, ledger: readonly LedgeredBatch[]): string | undefined {
  if (ledger.some((batch) => batch.batchId === plan.batch.batchId)) return undefined;
  const own = new Set(plan.batch.files.map(identity));
  return ledger.find((batch) => batch.files.some((file) => own.has(identity(file))))?.batchId;
}

function cannotResume(runId: string, why: string): PipelineError {
  return new PipelineError('CannotResume', `Run ${JSON.stringify(runId)} cannot be resumed: it ${why}.`);
}
