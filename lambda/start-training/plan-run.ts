/** PlanRun: checks the request and the cluster's instance types, takes the lease, finds what is new, and writes the plan that every step reads. */
import { EVENT_FILE_ENDINGS } from '../../domain/events.ts';
import { KEYS } from '../../domain/lake.ts';
import { currentSchema } from '../../domain/records.ts';
import {
  type Batch,
  type PlanRunInput,
  type PlanRunOutput,
  planRunInputSchema,
  type RunPlan,
  type RunRequest,
  runPlanSchema,
} from '../../domain/run.ts';
import { jsonBytes, type RunSize, sizeLocally, sizeOnEmr } from '../../domain/sizing.ts';
import type { Ports } from '../ports/ports.ts';
import type { FunctionContext } from '../run/context.ts';
import { PipelineError } from '../run/errors.ts';
import { findJson, jsonText, lakeUri, readJson } from '../run/json-objects.ts';
import { releaseLease, takeLease } from '../run/lease.ts';
import { type LedgeredBatch, markPending, pendingBatchIds, readLedger, readPending } from './batches.ts';
import { buildPlan, resumedPlan, runDecision } from './build-plan.ts';
import { abandonedBatches, type ChosenBatch, chooseBatch } from './choose-batch.ts';
import { listEventFiles } from './event-files.ts';
import { checkInstanceTypes } from './instance-types.ts';
import { checkRequest } from './request.ts';
import { findResumable } from './resume.ts';

/**
 * Decides whether a run goes on, and with which plan. It keeps the lease only if it goes on.
 * @throws InvalidRequest, InvalidConfiguration, NoEventFiles, OverBudget, CannotResume; InvalidResult for a damaged object of the lake
 */
export async function planRun(
  input: unknown,
  ports: Ports,
  context: FunctionContext,
): Promise<PlanRunOutput> {
  const run = planRunInputSchema.parse(input);
  const request = checkRequest(run.runId, run.request, context, ports.clock.now());
  await checkInstanceTypes(ports, context);
  const refusedUri = lakeUri(context.lakeRoot, KEYS.refused(run.runId));
  const lease = await takeLease(ports, context, run);
  if (lease.kind === 'refused') {
    await ports.objects.write(refusedUri, jsonText({ reason: lease.reason }));
    return { decision: 'refused', runId: run.runId, reason: lease.reason };
  }
  try {
    await ports.objects.remove(refusedUri);
    const decision = await decide(run, request, ports, context);
    if (decision.decision !== 'run') await releaseLease(ports, context, run.executionArn);
    return decision;
  } catch (error) {
    await releaseLease(ports, context, run.executionArn);
    throw error;
  }
}

async function decide(
  run: PlanRunInput,
  request: RunRequest,
  ports: Ports,
  context: FunctionContext,
): Promise<PlanRunOutput> {
  const planUri = lakeUri(context.lakeRoot, KEYS.plan(run.runId));
  const earlier = await findJson(ports.objects, planUri, runPlanSchema);
  if (earlier !== undefined) return runDecision(earlier.value);
  const ledger = await readLedger(ports, context);
  const plan =
    request.resume === undefined
      ? await planFromScratch(run, request, ledger, ports, context)
      : await planResumed(run, request.resume, ledger, ports, context);
  if (plan.decision !== 'run') return plan.output;
  const outcome = await ports.objects.write(planUri, jsonText(plan.plan), {
    condition: { kind: 'absent' },
    contentType: 'application/json',
  });
  if (outcome === 'written') return runDecision(plan.plan);
  // Another try of this state was faster: its plan is what the steps will read.
  return runDecision(await readJson(ports.objects, planUri, runPlanSchema, 'plan'));
}

type Planned =
  | { readonly decision: 'run'; readonly plan: RunPlan }
  | { readonly decision: 'stop'; readonly output: PlanRunOutput };

async function planFromScratch(
  run: PlanRunInput,
  request: RunRequest,
  ledger: readonly LedgeredBatch[],
  ports: Ports,
  context: FunctionContext,
): Promise<Planned> {
  const location = request.events ?? context.eventsRoot;
  const plannedAt = ports.clock.now();
  const current = await findJson(ports.objects, lakeUri(context.lakeRoot, KEYS.current), currentSchema);
  const chosen = chooseBatch({
    listed: await listEventFiles(ports.objects, location),
    ledger,
    current: current?.value,
    force: request.force ?? false,
    today: plannedAt.toISOString().slice(0, 10),
  });
  if (chosen.kind === 'no files') throw noEventFiles(location);
  if (chosen.kind === 'nothing') {
    const output: PlanRunOutput = { decision: 'nothing-to-do', runId: run.runId, reason: chosen.reason };
    return { decision: 'stop', output };
  }
  const size = sizeOf(chosen, ledger, context);
  const abandonedBatchIds = await abandonedBefore(chosen.batch, ledger, ports, context);
  const batch = await begin(chosen, current?.value.runId, ports, context);
  const parts = { ...run, plannedAt, request, batch, abandonedBatchIds, size };
  return { decision: 'run', plan: buildPlan(parts, context) };
}

async function planResumed(
  run: PlanRunInput,
  resumedRunId: string,
  ledger: readonly LedgeredBatch[],
  ports: Ports,
  context: FunctionContext,
): Promise<Planned> {
  const plan = await findResumable(ports, context, resumedRunId);
  const abandonedBatchIds = await abandonedBefore(plan.batch, ledger, ports, context);
  await markPending(ports, context, plan.batch);
  return {
    decision: 'run',
    plan: resumedPlan(plan, { ...run, plannedAt: ports.clock.now() }, abandonedBatchIds),
  };
}

async function abandonedBefore(
  batch: Batch,
  ledger: readonly LedgeredBatch[],
  ports: Ports,
  context: FunctionContext,
): Promise<readonly string[]> {
  return abandonedBatches(batch.batchId, await pendingBatchIds(ports, context), ledger);
}

/** Size of the run, by the bytes that ingest reads and those that the lake was made from. */
function sizeOf(
  chosen: Extract<ChosenBatch, { batch: Batch }>,
  ledger: readonly LedgeredBatch[],
  context: FunctionContext,
): RunSize {
  const newBytes = chosen.kind === 'new' ? jsonBytes(chosen.batch.files) : 0;
  const historyBytes = newBytes + jsonBytes(ledger.flatMap((batch) => batch.files));
  const volume = { newBytes, historyBytes };
  if (context.platform === 'local') return sizeLocally(volume);
  const size = sizeOnEmr(volume, context.region);
  const { estimatedUsd } = size.cluster;
  if (estimatedUsd > context.settings.budgetUsd) {
    throw new PipelineError(
      'OverBudget',
      `The run is estimated at ${estimatedUsd} USD (${(newBytes / 1e9).toFixed(1)} GB of new events), over the ` +
        `budget of ${context.settings.budgetUsd} USD. Raise budgetUsd in the configuration, or deliver fewer files at once.`,
    );
  }
  return size;
}

/** Marks the batch as begun; one that was begun or planned before keeps its first day. */
async function begin(
  chosen: Extract<ChosenBatch, { batch: Batch }>,
  currentRunId: string | undefined,
  ports: Ports,
  context: FunctionContext,
): Promise<Batch> {
  const { batch } = chosen;
  if (chosen.kind === 'new') return markPending(ports, context, batch);
  const pending = await readPending(ports, context, batch.batchId);
  if (pending !== undefined) return pending;
  if (currentRunId === undefined) return markPending(ports, context, batch);
  const uri = lakeUri(context.lakeRoot, KEYS.plan(currentRunId));
  const plan = await findJson(ports.objects, uri, runPlanSchema);
  const planned = plan?.value.batch.batchId === batch.batchId ? plan.value.batch : batch;
  return markPending(ports, context, planned);
}

function noEventFiles(location: string): PipelineError {
  return new PipelineError(
    'NoEventFiles',
    `There are no event files at ${location}: nothing there ends in ${EVENT_FILE_ENDINGS.join(', ')} ` +
      '(names that begin with "_" or "." are passed over). ' +
      'Put the log there, or name the right place in the request\'s field "events".',
  );
}
