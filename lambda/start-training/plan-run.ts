/** PlanRun: checks the request and the cluster's instance types, takes the lease, finds what is new, and writes the plan that every step reads. */
import { EVENT_FILE_ENDINGS } from '../../domain/event-files.ts';
import { formatProblem } from '../../domain/lake-format.ts';
import { CURRENT, CUTOFF_GRID, FORMAT, PENDING_BATCH, PLAN, REFUSED } from '../../domain/lake-objects.ts';
import { listingWarnings, type PassedOver, passedOverText } from '../../domain/listing.ts';
import {
  type Batch,
  type PlanRunInput,
  type PlanRunOutput,
  planRunInputSchema,
  type RunPlan,
  type RunRequest,
} from '../../domain/run.ts';
import { PipelineError } from '../run/errors.ts';
import type { Lake } from '../run/lake.ts';
import { releaseLease, takeLease } from '../run/lease.ts';
import type { World } from '../run/world.ts';
import { checkAccount } from './account.ts';
import { filesOf, listLedger, markPending, readPending } from './batches.ts';
import { buildPlan, rescoringPlan, resumedPlan, runDecision } from './build-plan.ts';
import { abandonedBatches, chooseBatch, largeGzipFiles, unfinishedBatches } from './choose-batch.ts';
import { compareLog } from './compare-log.ts';
import type { ListedBatch } from './file-index/file-index.ts';
import { findExpired } from './find-expired.ts';
import { checkInstanceTypes } from './instance-types.ts';
import { listedSince } from './list-since.ts';
import { checkRequest } from './request.ts';
import { findRescorable } from './rescore.ts';
import { findResumable } from './resume.ts';
import { sizeOf } from './run-size.ts';
import { planVerification } from './verification.ts';

/**
 * Decides whether a run goes on, and with which plan. It keeps the lease only if it goes on.
 * @throws InvalidRequest, InvalidConfiguration, NoEventFiles, AccountNotReady, OverBudget, CannotResume, CannotVerify; InvalidResult for a damaged object of the lake
 */
export async function planRun(input: unknown, world: World): Promise<PlanRunOutput> {
  const { lake, clock, deployment } = world;
  const run = planRunInputSchema.parse(input);
  const request = checkRequest(run.runId, run.request, deployment, clock.now());
  await checkInstanceTypes(world);
  if (request.verify !== undefined) {
    await requireUsable(lake);
    return planVerification(world, run, request.verify);
  }
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
  await requireUsable(lake);
  const earlier = await lake.find(PLAN.of(run.runId));
  if (earlier !== undefined) return runDecision(earlier.value);
  const ledger = await listLedger(lake);
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

/** @throws InvalidConfiguration for a lake that a later release has written */
async function requireUsable(lake: Lake): Promise<void> {
  const problem = formatProblem((await lake.find(FORMAT))?.value);
  if (problem === undefined) return;
  throw new PipelineError('InvalidConfiguration', `The lake ${lake.root} cannot be used: ${problem}`);
}

type Planned =
  | { readonly decision: 'run'; readonly plan: RunPlan }
  | { readonly decision: 'stop'; readonly output: PlanRunOutput };

async function planNewRun(
  world: World,
  run: PlanRunInput,
  request: RunRequest,
  ledger: readonly ListedBatch[],
): Promise<Planned> {
  const { lake, clock, deployment } = world;
  const location = request.events ?? deployment.eventsRoot;
  const plannedAt = clock.now();
  const since = listedSince(request, deployment, plannedAt);
  const { found, takenOut, gone, passedOver, historyRows } = await compareLog(
    world,
    ledger,
    { location, since },
    request,
  );
  const listing = {
    since: since ?? null,
    left: found.left,
    passedOver,
    oneTask: largeGzipFiles(found.files),
    gone: await gone.listing(lake),
  };
  const current = await lake.find(CURRENT);
  const pending = await lake.list(PENDING_BATCH);
  const chosen = chooseBatch({
    found,
    takenOut,
    hasUnfinished: unfinishedBatches(pending, ledger).length > 0,
    newest: ledger.at(-1),
    current: current?.value,
    force: request.force ?? false,
    today: plannedAt.toISOString().slice(0, 10),
  });
  if (chosen.kind === 'no files') throw noEventFiles(location, since, passedOver);
  if (chosen.kind === 'nothing') {
    await gone.remember(lake);
    const reason = [chosen.reason, ...listingWarnings(listing)].join('. ');
    return { decision: 'stop', output: { decision: 'nothing-to-do', runId: run.runId, reason } };
  }
  if (chosen.kind === 'score' && current !== undefined) {
    const only = await findRescorable(lake, chosen.current, deployment);
    if (only !== undefined) {
      await checkAccount(world, only.cluster);
      const parts = { ...run, plannedAt };
      return { decision: 'run', plan: rescoringPlan(only, parts, current, deployment.settings) };
    }
  }
  const size = sizeOf({ newFiles: found.files, historyRows }, deployment);
  await checkAccount(world, size.cluster);
  const batchId = chosen.kind === 'new' ? chosen.batch.batchId : chosen.newest.id;
  const abandonedBatchIds = abandonedBatches(batchId, pending, ledger);
  const batch =
    chosen.kind === 'new'
      ? await markPending(lake, chosen.batch)
      : await continued(lake, chosen.newest, current?.value.runId);
  await gone.remember(lake);
  const cutoffAnchor = (await lake.find(CUTOFF_GRID))?.value.anchor ?? null;
  const expired = await findExpired(world, run.runId, current?.value);
  const parts = {
    ...run,
    plannedAt,
    request,
    batch,
    abandonedBatchIds,
    listing,
    size,
    cutoffAnchor,
    current,
    expiredRuns: expired,
  };
  return { decision: 'run', plan: buildPlan(parts, deployment) };
}

async function planResumedRun(
  world: World,
  run: PlanRunInput,
  resumedRunId: string,
  ledger: readonly ListedBatch[],
): Promise<Planned> {
  const { lake, clock, deployment } = world;
  const plan = await findResumable(lake, resumedRunId, deployment);
  await checkAccount(world, plan.cluster);
  const abandonedBatchIds = abandonedBatches(plan.batch.batchId, await lake.list(PENDING_BATCH), ledger);
  await markPending(lake, plan.batch);
  return {
    decision: 'run',
    plan: resumedPlan(plan, { ...run, plannedAt: clock.now() }, abandonedBatchIds),
  };
}

/** A batch that is in the lake already, with the day of its first plan; or the ledger's, for lack of a better one. */
async function continued(
  lake: Lake,
  ledgered: ListedBatch,
  currentRunId: string | undefined,
): Promise<Batch> {
  const batchId = ledgered.id;
  const pending = await readPending(lake, batchId);
  if (pending !== undefined) return pending;
  const plan = currentRunId === undefined ? undefined : await lake.find(PLAN.of(currentRunId));
  if (plan?.value.batch.batchId === batchId) return markPending(lake, plan.value.batch);
  const ingestDate = ledgered.modifiedAt.toISOString().slice(0, 10);
  return markPending(lake, { batchId, ingestDate, files: await filesOf(lake, ledgered) });
}

function noEventFiles(
  location: string,
  since: string | undefined,
  passedOver: readonly PassedOver[],
): PipelineError {
  const place = since === undefined ? location : `${location} after ${since} (setting listSince)`;
  return new PipelineError(
    'NoEventFiles',
    [
      `There are no event files at ${place}: nothing there ends in ${EVENT_FILE_ENDINGS.join(', ')} (plain, .gz or .bz2) ` +
        'or has no ending (names that begin with "_" or "." are passed over). ' +
        'Put the log there, or name the right location in the request\'s field "events".',
      ...passedOver.map(passedOverText),
    ].join('\n'),
  );
}
