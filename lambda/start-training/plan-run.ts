/** PlanRun: checks the request and the cluster's instance types, takes the lease, finds what is new, and writes the plan that every step reads. */
import { EVENT_FILE_ENDINGS } from '../../domain/events.ts';
import { CURRENT, PLAN, REFUSED } from '../../domain/lake-objects.ts';
import {
  type Batch,
  type PlanRunInput,
  type PlanRunOutput,
  planRunInputSchema,
  type RunPlan,
  type RunRequest,
} from '../../domain/run.ts';
import { jsonBytes, type RunSize, sizeLocally, sizeOnEmr } from '../../domain/sizing.ts';
import type { Deployment } from '../run/deployment.ts';
import { PipelineError } from '../run/errors.ts';
import type { Lake } from '../run/lake.ts';
import { releaseLease, takeLease } from '../run/lease.ts';
import type { World } from '../run/world.ts';
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
export async function planRun(input: unknown, world: World): Promise<PlanRunOutput> {
  const { lake, clock, deployment } = world;
  const run = planRunInputSchema.parse(input);
  const request = checkRequest(run.runId, run.request, deployment, clock.now());
  await checkInstanceTypes(world);
  const lease = await takeLease(world, run);
  if (lease.kind === 'refused') {
    await lake.write(REFUSED.of(run.runId), { reason: lease.reason });
    return { decision: 'refused', runId: run.runId, reason: lease.reason };
  }
  try {
    await lake.remove(REFUSED.of(run.runId));
    const decision = await decide(world, run, request);
    if (decision.decision !== 'run') await releaseLease(world, run.executionArn);
    return decision;
  } catch (error) {
    await releaseLease(world, run.executionArn);
    throw error;
  }
}

async function decide(world: World, run: PlanRunInput, request: RunRequest): Promise<PlanRunOutput> {
  const { lake } = world;
  const earlier = await lake.find(PLAN.of(run.runId));
  if (earlier !== undefined) return runDecision(earlier.value);
  const ledger = await readLedger(lake);
  const planned =
    request.resume === undefined
      ? await planNewRun(world, run, request, ledger)
      : await planResumedRun(world, run, request.resume, ledger);
  if (planned.decision !== 'run') return planned.output;
  const outcome = await lake.create(PLAN.of(run.runId), planned.plan);
  if (outcome === 'written') return runDecision(planned.plan);
  // Another try of this state was faster: its plan is the one that the steps will read.
  return runDecision(await lake.read(PLAN.of(run.runId)));
}

type Planned =
  | { readonly decision: 'run'; readonly plan: RunPlan }
  | { readonly decision: 'stop'; readonly output: PlanRunOutput };

async function planNewRun(
  world: World,
  run: PlanRunInput,
  request: RunRequest,
  ledger: readonly LedgeredBatch[],
): Promise<Planned> {
  const { lake, clock, deployment } = world;
  const location = request.events ?? deployment.eventsRoot;
  const plannedAt = clock.now();
  const current = await lake.find(CURRENT);
  const chosen = chooseBatch({
    listed: await listEventFiles(world, location),
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
  const size = sizeOf(chosen, ledger, deployment);
  const abandonedBatchIds = await abandonedBefore(lake, chosen.batch, ledger);
  const batch = await begin(lake, chosen, current?.value.runId);
  const parts = { ...run, plannedAt, request, batch, abandonedBatchIds, size };
  return { decision: 'run', plan: buildPlan(parts, deployment) };
}

async function planResumedRun(
  { lake, clock, deployment }: World,
  run: PlanRunInput,
  resumedRunId: string,
  ledger: readonly LedgeredBatch[],
): Promise<Planned> {
  const plan = await findResumable(lake, resumedRunId, deployment.release);
  const abandonedBatchIds = await abandonedBefore(lake, plan.batch, ledger);
  await markPending(lake, plan.batch);
  return {
    decision: 'run',
    plan: resumedPlan(plan, { ...run, plannedAt: clock.now() }, abandonedBatchIds),
  };
}

async function abandonedBefore(
  lake: Lake,
  batch: Batch,
  ledger: readonly LedgeredBatch[],
): Promise<readonly string[]> {
  return abandonedBatches(batch.batchId, await pendingBatchIds(lake), ledger);
}

/** Size of the run, by the bytes that ingest reads and those that the lake was made from. */
function sizeOf(
  chosen: Extract<ChosenBatch, { batch: Batch }>,
  ledger: readonly LedgeredBatch[],
  { platform, region, settings }: Deployment,
): RunSize {
  const newBytes = chosen.kind === 'new' ? jsonBytes(chosen.batch.files) : 0;
  const historyBytes = newBytes + jsonBytes(ledger.flatMap((batch) => batch.files));
  const volume = { newBytes, historyBytes };
  if (platform === 'local') return sizeLocally(volume);
  const size = sizeOnEmr(volume, region);
  const { estimatedUsd } = size.cluster;
  if (estimatedUsd > settings.budgetUsd) {
    throw new PipelineError(
      'OverBudget',
      `The run is estimated at ${estimatedUsd} USD (${(newBytes / 1e9).toFixed(1)} GB of new events), over the ` +
        `budget of ${settings.budgetUsd} USD. Raise budgetUsd in the configuration, or deliver fewer files at once.`,
    );
  }
  return size;
}

/** Marks the batch as begun; one that was begun or planned before keeps its first day. */
async function begin(
  lake: Lake,
  { kind, batch }: Extract<ChosenBatch, { batch: Batch }>,
  currentRunId: string | undefined,
): Promise<Batch> {
  if (kind === 'new') return markPending(lake, batch);
  const pending = await readPending(lake, batch.batchId);
  if (pending !== undefined) return pending;
  if (currentRunId === undefined) return markPending(lake, batch);
  const plan = await lake.find(PLAN.of(currentRunId));
  const planned = plan?.value.batch.batchId === batch.batchId ? plan.value.batch : batch;
  return markPending(lake, planned);
}

function noEventFiles(location: string): PipelineError {
  return new PipelineError(
    'NoEventFiles',
    `There are no event files at ${location}: nothing there ends in ${EVENT_FILE_ENDINGS.join(', ')} ` +
      '(names that begin with "_" or "." are passed over). ' +
      'Put the log there, or name the right location in the request\'s field "events".',
  );
}
