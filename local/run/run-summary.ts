/** The summary that `churn run` prints at its end; also the document of --json. */
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { adaptedTexts } from '../../domain/adaptations.ts';
import { logWarnings, newestDayOf } from '../../domain/log-state.ts';
import { nothingLearnt } from '../../domain/nothing-learnt.ts';
import { hasTrained, type RunDetail } from '../../domain/records.ts';
import {
  eventChangesSchema,
  metricNameSchema,
  modelNameSchema,
  rowCountsSchema,
} from '../../domain/results.ts';
import { scoringEvaluation, scoringModel } from '../../domain/scoring-evaluation.ts';
import type { Closing } from '../../lambda/close-run/close-one-run.ts';
import { breathOf } from '../../lambda/render-report/breath.ts';
import type { StateTime } from './timeline.ts';

const stateTimeSchema = z.strictObject({
  name: z.string(),
  seconds: z.number().nonnegative(),
  status: z.enum(['SUCCEEDED', 'FAILED', 'ABORTED']),
});
const modelSchema = z.strictObject({
  name: modelNameSchema,
  metrics: z.partialRecord(metricNameSchema, z.number()),
});

/** What is known about the lake after the run; about the last run that succeeded if this one had nothing to do. */
const outcomeShape = {
  counts: rowCountsSchema,
  /** Events in the lake, and the files that they came in; null in runs of older versions. */
  lake: z
    .strictObject({ events: z.number().int().nonnegative(), files: z.number().int().nonnegative() })
    .nullable(),
  /** How the run changed the events. */
  changes: eventChangesSchema.nullable(),
  users: z.number().int().nonnegative(),
  /** Living users, who have a score. */
  scored: z.number().int().nonnegative(),
  cancellations: z.number().int().nonnegative(),
  /** Users who came back after a cancellation, and later cancellations of theirs. */
  returnedUsers: z.number().int().nonnegative().optional(),
  secondCancellations: z.number().int().nonnegative().optional(),
  model: modelSchema,
  report: z.string(),
};
const runShape = { runId: z.string(), states: z.array(stateTimeSchema) };

export const runSummarySchema = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('SUCCEEDED'),
    ...runShape,
    ...outcomeShape,
    /** The newest day with events, and how old it was; null in runs of older versions. */
    newestDay: z.strictObject({ day: z.string(), ageDays: z.number().int().nonnegative() }).nullable(),
    /** Why nothing was trained; null when models were. */
    notTrained: z.string().nullable(),
    /** What to know about what was read, a sentence each. */
    warnings: z.array(z.string()),
    /** The list of users to contact, for so many days; null where there is none. Runs of older versions lack it. */
    campaign: z.strictObject({ file: z.string(), users: z.number(), days: z.number() }).nullable().optional(),
    /** The three most important sentences of the report. */
    sentences: z.array(z.string()),
  }),
  z.strictObject({
    status: z.literal('NOTHING_TO_DO'),
    ...runShape,
    /** Rows of this run: none. */
    counts: rowCountsSchema,
    lake: outcomeShape.lake,
    users: outcomeShape.users.nullable(),
    scored: outcomeShape.scored.nullable(),
    cancellations: outcomeShape.cancellations.nullable(),
    returnedUsers: outcomeShape.returnedUsers.nullable(),
    secondCancellations: outcomeShape.secondCancellations.nullable(),
    model: modelSchema.nullable(),
    report: z.string().nullable(),
    reason: z.string(),
  }),
  z.strictObject({
    status: z.enum(['FAILED', 'TIMED_OUT', 'ABORTED', 'REFUSED']),
    ...runShape,
    error: z.strictObject({ state: z.string(), message: z.string(), whatToDo: z.string() }),
    /** Folder of the steps' logs, if a step has run. */
    logs: z.string().nullable(),
  }),
]);
export type RunSummary = z.infer<typeof runSummarySchema>;

/** Whether the command exits with 0. */
export function isSuccess(summary: RunSummary): boolean {
  return summary.status === 'SUCCEEDED' || summary.status === 'NOTHING_TO_DO';
}

const NOTHING_KNOWN = {
  lake: null,
  users: null,
  scored: null,
  cancellations: null,
  returnedUsers: null,
  secondCancellations: null,
  model: null,
} as const;

export interface RunEnd {
  readonly runId: string;
  readonly states: readonly StateTime[];
}

/** A run that succeeded, by its stored detail, with what the lake holds now. */
export interface KnownRun {
  readonly detail: RunDetail;
  readonly report: string;
  readonly files: number;
}

export function succeeded(run: RunEnd, { detail, report, files }: KnownRun): RunSummary {
  return {
    status: 'SUCCEEDED',
    runId: run.runId,
    counts: detail.ingest.counts,
    changes: detail.ingest.changes ?? null,
    ...lakeAfter(detail, files),
    newestDay: newestDayOf(detail) ?? null,
    notTrained: hasTrained(detail) ? null : (detail.trainingDecision?.reason ?? 'no reason was recorded'),
    warnings: [nothingLearnt(detail), ...adaptedTexts(detail.ingest.adapted), ...logWarnings(detail)].filter(
      (text) => text !== undefined,
    ),
    campaign: campaignOf(detail),
    sentences: importantSentences(detail),
    states: [...run.states],
    report,
  };
}

/** @param current the last run that succeeded, if its detail still exists */
export function nothingToDo(run: RunEnd, reason: string, current: KnownRun | undefined): RunSummary {
  const known = current === undefined ? NOTHING_KNOWN : lakeAfter(current.detail, current.files);
  return {
    status: 'NOTHING_TO_DO',
    runId: run.runId,
    reason,
    counts: { read: 0, accepted: 0, quarantined: 0, duplicates: 0 },
    ...known,
    states: [...run.states],
    report: current?.report ?? null,
  };
}

export function failed(
  run: RunEnd,
  status: 'FAILED' | 'TIMED_OUT' | 'ABORTED' | 'REFUSED',
  explanation: Pick<Closing['explanation'], 'where' | 'why' | 'whatToDo'>,
  logs: string | null,
): RunSummary {
  const { where, why, whatToDo } = explanation;
  return {
    status,
    runId: run.runId,
    states: [...run.states],
    error: { state: where, message: why, whatToDo },
    logs,
  };
}

function campaignOf({ scoring, plan }: RunDetail) {
  const { campaign = null } = scoring;
  if (campaign === null) return null;
  return {
    file: campaign.uri.startsWith('file:') ? fileURLToPath(campaign.uri) : campaign.uri,
    users: campaign.users,
    days: plan.scoring.campaignDays,
  };
}

/** What to expect, what it is worth, and whether to believe it. */
function importantSentences(detail: RunDetail): string[] {
  return breathOf(detail, [], [])
    .filter(({ about }) => about === 'expected' || about === 'worth' || about === 'trust')
    .map(({ text }) => text);
}

function lakeAfter(detail: RunDetail, files: number) {
  const { ingest, features, scoring } = detail;
  const evaluation = scoringEvaluation(detail);
  const metrics = evaluation?.metrics ?? {};
  return {
    lake: ingest.lake === undefined ? null : { ...ingest.lake, files },
    users: features.users,
    scored: scoring.users,
    cancellations: features.cancellations,
    returnedUsers: features.returnedUsers ?? 0,
    secondCancellations: features.secondCancellations ?? 0,
    model: {
      name: scoringModel(detail),
      metrics: Object.fromEntries(Object.entries(metrics).map(([name, { value }]) => [name, value])),
    },
  };
}
