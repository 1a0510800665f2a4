/** Closes one run: terminates its clusters, explains and records its failure, releases the lease, notifies once. */
import { KEYS } from '../../domain/lake.ts';
import { REFUSED_ERROR } from '../../domain/operations.ts';
import { type RunRecord, runDetailSchema, runRecordSchema } from '../../domain/records.ts';
import type { Notice } from '../../domain/run.ts';
import type { StateName } from '../../domain/states.ts';
import type { Ports } from '../ports/ports.ts';
import type { FunctionContext } from '../run/context.ts';
import { type RunCost, runCost } from '../run/cost.ts';
import { endClusters } from '../run/end-clusters.ts';
import { finishRun } from '../run/finish-run.ts';
import { glimpseJson, jsonLines, lakeUri } from '../run/json-objects.ts';
import { leaseHolder, releaseLease } from '../run/lease.ts';
import { type Evidence, gatherEvidence } from './evidence.ts';
import { type Explanation, explain, explanationText } from './explanation.ts';
import type { RunToClose } from './input.ts';
import { notifyOnce } from './notify-once.ts';

export interface Closing {
  readonly runId: string;
  /** `refused`: the run never was one, so there was nothing to close. */
  readonly outcome: 'failed' | 'succeeded' | 'refused';
  readonly explanation: Explanation;
  readonly clustersTerminated: number;
  /** By the run's record; null where it is not known, or where there was no run. */
  readonly costUsd: number | null;
  readonly notified: boolean;
}

/** Safe to be done twice, and by several at once. */
export async function closeOneRun(run: RunToClose, ports: Ports, context: FunctionContext): Promise<Closing> {
  const clustersTerminated = await endClusters(run.runId, ports);
  const evidence = await gatherEvidence(run.runId, ports, context);
  if (run.calledBy !== 'catch' && (await wasRefused(run, evidence, ports, context))) {
    const explanation = {
      where: 'Refused' satisfies StateName,
      error: REFUSED_ERROR,
      why: 'another run lived',
      whatToDo: 'nothing',
    };
    return {
      runId: run.runId,
      outcome: 'refused',
      explanation,
      clustersTerminated,
      costUsd: null,
      notified: false,
    };
  }
  const explained = explain(evidence, { error: run.error, cause: run.cause });
  const record = await recordFailure(run, evidence, explained, ports, context);
  const explanation = record.status === 'SUCCEEDED' ? explainAfterSuccess(explained) : explained;
  if (record.status === 'SUCCEEDED') await finish(run.runId, ports, context);
  await releaseLease(ports, context, run.executionArn);
  const notice = noticeOf(run.runId, record.status, explanation);
  const notified = await notifyOnce(ports, context, run.runId, notice);
  const outcome = record.status === 'SUCCEEDED' ? 'succeeded' : 'failed';
  const costUsd = record.cost_usd;
  return { runId: run.runId, outcome, explanation, clustersTerminated, costUsd, notified };
}

/** A start that was refused has its marker, and nothing that a run would have. */
async function wasRefused(
  { runId, executionArn }: RunToClose,
  { plan, clusters }: Evidence,
  ports: Ports,
  context: FunctionContext,
): Promise<boolean> {
  if (plan !== undefined || clusters.length > 0) return false;
  const marker = await ports.objects.read(lakeUri(context.lakeRoot, KEYS.refused(runId)));
  return marker !== undefined && (await leaseHolder(ports, context))?.executionArn !== executionArn;
}

/** Writes that the run failed, unless it has a record already; returns the record that is stored. */
async function recordFailure(
  run: RunToClose,
  evidence: Evidence,
  explanation: Explanation,
  ports: Ports,
  context: FunctionContext,
): Promise<RunRecord> {
  const uri = lakeUri(context.lakeRoot, KEYS.runRecord(run.runId));
  const cost = await runCost(evidence.clusters, ports, context);
  const failed = failedRecord(run, evidence, explanation, cost, ports.clock.now());
  const outcome = await ports.objects.write(uri, jsonLines([failed]), {
    condition: { kind: 'absent' },
    contentType: 'application/json',
  });
  if (outcome === 'written') return failed;
  return (await glimpseJson(ports.objects, uri, runRecordSchema)) ?? failed;
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
    batch_id: plan?.batch.batchId ?? null,
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

/** StoreMetrics may have died between its record and what follows from it. */
async function finish(runId: string, ports: Ports, context: FunctionContext): Promise<void> {
  const uri = lakeUri(context.lakeRoot, KEYS.runDetail(runId));
  const detail = await glimpseJson(ports.objects, uri, runDetailSchema);
  if (detail !== undefined) await finishRun(ports, context, detail);
}

function explainAfterSuccess(explanation: Explanation): Explanation {
  return {
    ...explanation,
    where: `after ${'StoreMetrics' satisfies StateName}`,
    whatToDo: 'nothing about the run: its scores and model are current, its figures lie in detail.json',
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
