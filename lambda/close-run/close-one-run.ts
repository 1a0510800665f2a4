/** Closes one run: terminates its clusters, explains and records its failure, releases the lease, notifies once. */
import { CAMPAIGN, REFUSED, RUN_DETAIL, RUN_RECORD } from '../../domain/lake-objects.ts';
import { REFUSED_ERROR } from '../../domain/operations.ts';
import type { RunRecord } from '../../domain/records.ts';
import type { Notice } from '../../domain/run.ts';
import type { StateName } from '../../domain/states.ts';
import { type RunCost, runCost } from '../run/cost.ts';
import { finishRun } from '../run/finish-run.ts';
import type { Lake } from '../run/lake.ts';
import { leaseHolder, releaseLease } from '../run/lease.ts';
import { terminateClusters } from '../run/terminate-clusters.ts';
import type { World } from '../run/world.ts';
import { type Evidence, gatherEvidence } from './evidence.ts';
import { type Explanation, explain, explanationText } from './explanation.ts';
import type { RunToClose } from './input.ts';
import { notifyOnce } from './notify-once.ts';

export interface Closing {
  readonly runId: string;
  /** `refused`: the start was refused, so there was nothing to close. */
  readonly outcome: 'failed' | 'succeeded' | 'refused';
  readonly explanation: Explanation;
  readonly clustersTerminated: number;
  /** From the run's record; null if it is not known, or if there was no run. */
  readonly costUsd: number | null;
  readonly notified: boolean;
}

/** Safe to do twice, and for several callers at once. */
export async function closeOneRun(world: World, run: RunToClose): Promise<Closing> {
  const { lake } = world;
  const clustersTerminated = await terminateClusters(world, run.runId);
  const evidence = await gatherEvidence(world, run.runId);
  const unrecorded = { runId: run.runId, clustersTerminated, costUsd: null, notified: false };
  if (run.calledBy !== 'catch' && (await wasRefused(lake, run, evidence))) {
    const explanation = {
      where: 'Refused' satisfies StateName,
      error: REFUSED_ERROR,
      why: 'another run lived',
      whatToDo: 'nothing',
    };
    return { ...unrecorded, outcome: 'refused', explanation };
  }
  if (await hasVerified(world, run, evidence)) {
    const explanation = {
      where: 'TrainedAgain' satisfies StateName,
      error: run.error ?? 'ClusterLeftRunning',
      why: 'CreateCluster was retried and had created a cluster before',
      whatToDo: 'nothing: the other cluster has trained',
    };
    return { ...unrecorded, outcome: 'succeeded', explanation };
  }
  const failure = explain(evidence, { error: run.error, cause: run.cause });
  const record = await recordFailure(world, run, evidence, failure);
  const explanation = record.status === 'SUCCEEDED' ? explainAfterSuccess(failure) : failure;
  if (record.status === 'SUCCEEDED') await finish(world, run.runId);
  // The list of a run that failed is not to be used.
  else await lake.remove(CAMPAIGN.of(run.runId));
  await releaseLease(world, run.executionArn);
  const notice = noticeOf(run.runId, record.status, explanation);
  const notified = await notifyOnce(world, run.runId, notice);
  const outcome = record.status === 'SUCCEEDED' ? 'succeeded' : 'failed';
  const costUsd = record.cost_usd;
  return { runId: run.runId, outcome, explanation, clustersTerminated, costUsd, notified };
}

/** A start that was refused has its marker, and nothing that a run would have. */
async function wasRefused(
  lake: Lake,
  { runId, executionArn }: RunToClose,
  { plan, clusters }: Evidence,
): Promise<boolean> {
  if (plan !== undefined || clusters.length > 0) return false;
  return (await lake.has(REFUSED.of(runId))) && (await leaseHolder(lake))?.executionArn !== executionArn;
}

/** A run that has trained a model again is not recorded; the sweep may find a cluster that it has left behind. */
async function hasVerified(
  { executions }: World,
  { calledBy, executionArn }: RunToClose,
  { plan }: Evidence,
): Promise<boolean> {
  if (calledBy !== 'sweep' || plan?.verifies === undefined) return false;
  return (await executions.status(executionArn)) === 'SUCCEEDED';
}

/** Writes that the run failed, unless it has a record already; returns the record that is stored. */
async function recordFailure(
  world: World,
  run: RunToClose,
  evidence: Evidence,
  explanation: Explanation,
): Promise<RunRecord> {
  const { lake, clock } = world;
  const cost = await runCost(world, evidence.clusters);
  const failed = failedRecord(run, evidence, explanation, cost, clock.now());
  if ((await lake.create(RUN_RECORD.of(run.runId), failed)) === 'written') return failed;
  return (await lake.glimpse(RUN_RECORD.of(run.runId))) ?? failed;
}

function failedRecord(
  run: RunToClose,
  { plan, ingest }: Evidence,
  explanation: Explanation,
  cost: RunCost,
  now: Date,
): RunRecord {
  return {
    run_id: run.runId,
    status: 'FAILED',
    started_at: (Number.isNaN(run.startedAt.getTime()) ? now : run.startedAt).toISOString(),
    ended_at: now.toISOString(),
    // A run that verified another has not touched its batch.
    batch_id: plan === undefined || plan.verifies !== undefined ? null : plan.batch.batchId,
    rows_read: ingest?.counts.read ?? null,
    rows_accepted: ingest?.counts.accepted ?? null,
    rows_quarantined: ingest?.counts.quarantined ?? null,
    rows_duplicate: ingest?.counts.duplicates ?? null,
    users: null,
    cancellations: null,
    model: null,
    promoted: null,
    promotion_reason: null,
    estimated_cost_usd: plan?.cluster.estimatedUsd ?? null,
    ...cost,
    error: explanationText(explanation),
  };
}

/** StoreMetrics may have been interrupted between the record and what follows from it. */
async function finish(world: World, runId: string): Promise<void> {
  const detail = await world.lake.glimpse(RUN_DETAIL.of(runId));
  if (detail !== undefined) await finishRun(world, detail);
}

function explainAfterSuccess(explanation: Explanation): Explanation {
  return {
    ...explanation,
    where: `after ${'StoreMetrics' satisfies StateName}`,
    whatToDo: 'nothing about the run: its scores and model are current, its metrics are in detail.json',
  };
}

function noticeOf(runId: string, status: RunRecord['status'], explanation: Explanation): Notice {
  return status === 'SUCCEEDED'
    ? {
        subject: 'Churn model: run succeeded, something failed after it',
        text: `Run ${runId} succeeded, but something failed after it.\n${explanationText(explanation)}`,
      }
    : {
        subject: `Churn model: run failed in ${explanation.where}`,
        text: `Run ${runId} failed.\n${explanationText(explanation)}`,
      };
}
