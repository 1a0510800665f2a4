/**
 * What remains to be done once the record of a run says SUCCEEDED. From that moment the run counts; everything here
 * follows from its record and can be done again. StoreMetrics does it, or close-run if StoreMetrics was interrupted.
 */
import { createHash } from 'node:crypto';
import type { Scorer } from '../../domain/choice.ts';
import { EVIDENCE_TABLES } from '../../domain/lake.ts';
import {
  CAMPAIGN,
  CAMPAIGN_TAG,
  CURRENT,
  CUTOFF_GRID,
  DRAFT,
  EVIDENCE_ROWS,
  METRIC_ROWS,
  modelCardIn,
  modelIn,
  PENDING_BATCH,
} from '../../domain/lake-objects.ts';
import { modelCard } from '../../domain/model-card.ts';
import { type Current, hasTrained, type RunDetail } from '../../domain/records.ts';
import type { LastTraining } from '../../domain/training-decision.ts';
import { championChanged, requireUnchanged } from './current.ts';
import { evidenceRows } from './evidence-rows.ts';
import type { Lake } from './lake.ts';
import { leaseHolder, releaseLease } from './lease.ts';
import { metricRows } from './metric-rows.ts';
import { writeOutcomes } from './outcomes.ts';
import { removeExpired } from './remove-expired.ts';
import type { World } from './world.ts';

/** Makes metrics, scores and model current, removes the batch's markers and what has had its time, and releases the lease. */
export async function finishRun(world: World, detail: RunDetail): Promise<void> {
  const { lake } = world;
  const { runId, executionArn, batch, abandonedBatchIds } = detail.plan;
  // The lease is released last: once it is, all of this has been done, and another run may be at work.
  if ((await leaseHolder(lake))?.executionArn !== executionArn) return;
  await lake.write(METRIC_ROWS.of(runId), metricRows(detail));
  await writeEvidence(lake, detail);
  await writeOutcomes(lake, detail);
  await makeCurrent(lake, detail);
  await keepGrid(lake, detail);
  const { campaign = null } = detail.scoring;
  if (campaign !== null) await lake.tag(CAMPAIGN.at(campaign.uri), CAMPAIGN_TAG);
  await writeCard(lake, detail);
  for (const batchId of [batch.batchId, ...abandonedBatchIds]) {
    await lake.remove(PENDING_BATCH.of(batchId));
    await lake.remove(DRAFT.of(batchId));
  }
  await removeExpired(world, detail.plan);
  await releaseLease(world, executionArn);
}

/** What the run has found out, one object per table; none where it has found out nothing. */
async function writeEvidence(lake: Lake, detail: RunDetail): Promise<void> {
  const rows = evidenceRows(detail);
  for (const { name } of EVIDENCE_TABLES)
    if (rows[name].length > 0) await lake.write(EVIDENCE_ROWS[name].of(detail.plan.runId), rows[name]);
}

/** Beside the model that the run has trained, if it has trained one. */
async function writeCard(lake: Lake, detail: RunDetail): Promise<void> {
  if (!hasTrained(detail)) return;
  const { training } = detail;
  const description = await lake.glimpse(modelIn(training.modelUri));
  if (description === undefined) return;
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  await lake.write(modelCardIn(training.modelUri), modelCard(detail, description, hash));
}

/** The first run that succeeds fixes the grid of cutoffs; later runs find it. */
async function keepGrid(lake: Lake, { features }: RunDetail): Promise<void> {
  const { cutoffAnchor: anchor } = features;
  if (anchor !== null) await lake.create(CUTOFF_GRID, { anchor });
}

async function makeCurrent(lake: Lake, detail: RunDetail): Promise<void> {
  if (detail.choice?.makesCurrent === false) return;
  const before = await requireUnchanged(lake, detail.plan);
  if (before?.value.runId === detail.plan.runId) return;
  const outcome = await lake.replace(CURRENT, before, currentAfter(detail, before?.value));
  if (outcome === 'conflict') throw championChanged(lake, detail.plan);
}

function currentAfter(detail: RunDetail, before: Current | undefined): Current {
  const { plan, record, scoring, choice } = detail;
  const scorer = choice?.scorer ?? null;
  const promoted = scorer === null || record.promoted !== true ? null : inCharge(scorer, record.ended_at);
  const champion = promoted ?? championAfter(detail, before);
  const lastTraining = trainedOn(detail) ?? before?.lastTraining;
  return {
    runId: plan.runId,
    batchId: plan.batch.batchId,
    champion,
    scoredUnder: champion?.runId ?? null,
    observationEnd: scoring.cutoff,
    manual: before?.manual ?? null,
    ...(lastTraining === undefined ? {} : { lastTraining }),
  };
}

/** The champion that stays; whether its probabilities are believed is what this run has found, if it has tested it. */
function championAfter(detail: RunDetail, before: Current | undefined): Current['champion'] {
  const champion = before?.champion ?? null;
  const { choice } = detail;
  if (champion === null || !hasTrained(detail) || choice?.scorer?.runId !== champion.runId) return champion;
  return { ...champion, withheld: choice.list === 'order only' };
}

/** What a run has learnt from, whether or not its model was promoted. */
function trainedOn({ plan, features, training }: RunDetail): LastTraining | undefined {
  if (training === null) return undefined;
  const known = features.cutoffs.filter(({ role }) => role !== 'score');
  return {
    runId: plan.runId,
    fingerprint: plan.train.fingerprint,
    testCutoff: training.testCutoff,
    cutoffs: Object.fromEntries(known.map(({ cutoff, version = '' }) => [cutoff, version])),
  };
}

function inCharge({ runId, modelUri, testCutoff }: Scorer, promotedAt: string): Current['champion'] {
  return { runId, modelUri, testCutoff, withheld: false, promotedAt };
}
