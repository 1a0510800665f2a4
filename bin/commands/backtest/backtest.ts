/** A backtest: a scratch lake from the events before a day only, and then the real future of the log. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { choiceText } from '../../../domain/choice.ts';
import { SCORES } from '../../../domain/lake.ts';
import { CURRENT, RUN_DETAIL } from '../../../domain/lake-objects.ts';
import { predictedObserved } from '../../../domain/predicted-observed.ts';
import { realisedFigures } from '../../../domain/realised-figures.ts';
import { hasTrained, type RunDetail, type TrainedDetail } from '../../../domain/records.ts';
import type { Estimate } from '../../../domain/results.ts';
import { scoringEvaluation } from '../../../domain/scoring-evaluation.ts';
import { addDays } from '../../../domain/time.ts';
import { UserError } from '../../../domain/user-error.ts';
import { Lake } from '../../../lambda/run/lake.ts';
import { ContentTags } from '../../../local/adapters/content-tags.ts';
import { DuckDbEngine } from '../../../local/adapters/duckdb-engine.ts';
import { FolderStore } from '../../../local/adapters/folder-store.ts';
import type { LakeFolder } from '../../../local/run/lake-folder.ts';
import { cancelledWithin, copyEventsBefore, daysOfEvents } from './log-before.ts';

/** Figures of one source; undefined where one has no value. */
export interface Figures {
  readonly users: number;
  readonly cancelled: number;
  readonly auc: Estimate | undefined;
  readonly averagePrecisionRatio: Estimate | undefined;
  readonly liftAt10: Estimate | undefined;
  readonly predictedObserved: Estimate | undefined;
}

export interface Backtest {
  readonly asOf: string;
  readonly horizonDays: number;
  /** Run of the scratch lake. */
  readonly runId: string;
  /** Kind of the model that scored; null when no model could be put in charge. */
  readonly model: string | null;
  readonly reason: string;
  readonly testCutoff: string;
  /** Users who cancelled in these days without a score, because their first event came later. */
  readonly notScored: number;
  readonly predicted: number;
  readonly future: Figures;
  readonly ownTest: Figures;
}

/** Runs the whole pipeline on a log. */
export type RunOn = (
  eventsFolder: string,
  request: { readonly observationEnd: string; readonly horizonDays: number },
) => Promise<void>;

/**
 * @param places the lake with the whole log, and an empty one
 * @throws UserError when the lake does not hold the future of that day, or the run fails
 */
export async function backtest(
  asOf: string,
  places: { readonly source: LakeFolder; readonly scratch: LakeFolder; readonly run: RunOn },
): Promise<Backtest> {
  const { source, scratch, run } = places;
  const known = await currentDetail(source);
  const { horizonDays } = known.plan.training;
  const engine = engineOf(source);
  await requireFuture(asOf, horizonDays, known, engine);
  await mkdir(scratch.generatedLog, { recursive: true });
  await engine.ask(copyEventsBefore(asOf, join(scratch.generatedLog, 'events.json')));
  await run(scratch.generatedLog, { observationEnd: asOf, horizonDays });
  const detail = await currentDetail(scratch);
  if (!hasTrained(detail)) {
    throw new UserError(
      'The run on the events before that day has trained nothing: leave out --train, or ask for `always`.',
    );
  }
  const rows = await engineOf(scratch).ask(
    `SELECT user_id, raw_score, probability FROM ${SCORES.name} WHERE run_id = '${detail.record.run_id}'`,
  );
  const cancelled = new Set(
    (await engine.ask(cancelledWithin(asOf, horizonDays))).map(({ user_id: id }) => id),
  );
  const scored = new Set(rows.map(({ user_id: id }) => id));
  const future = realisedFigures(
    rows.map(({ user_id: id, raw_score: score, probability }) => ({
      score: Number(score),
      probability: probability === null || probability === undefined ? null : Number(probability),
      cancelled: cancelled.has(id),
    })),
  );
  const { choice, training } = detail;
  return {
    asOf,
    horizonDays,
    runId: detail.record.run_id,
    model: choice?.scorer === null ? null : (scoringEvaluation(detail)?.model ?? training.chosen),
    reason: choice === undefined ? '' : choiceText(choice),
    testCutoff: training.testCutoff,
    notScored: [...cancelled].filter((id) => !scored.has(id)).length,
    predicted: detail.scoring.expectedCancellations,
    future,
    ownTest: ownTest(detail),
  };
}

/** What the scratch run said of itself. */
function ownTest(detail: TrainedDetail): Figures {
  const { training } = detail;
  const evaluation = scoringEvaluation(detail);
  return {
    users: training.testRows,
    cancelled: training.testCancellations,
    auc: evaluation?.metrics.auc,
    averagePrecisionRatio: evaluation?.metrics.average_precision_ratio,
    liftAt10: evaluation?.metrics.lift_at_10,
    predictedObserved: evaluation === undefined ? undefined : predictedObserved(evaluation),
  };
}

async function requireFuture(
  asOf: string,
  horizonDays: number,
  { features }: RunDetail,
  engine: DuckDbEngine,
): Promise<void> {
  const newest = addDays(features.observationEnd, -horizonDays);
  if (asOf > newest) {
    throw new UserError(
      `The log ends with ${addDays(features.observationEnd, -1)}, so who cancels in the ${horizonDays} days from ${asOf} on is not known yet: ` +
        `name a day up to ${newest} with --as-of.`,
    );
  }
  const [days] = await engine.ask(daysOfEvents(asOf));
  if (Number(days?.before ?? 0) === 0) {
    throw new UserError(
      `The lake has no events before ${asOf}: they begin on ${days?.first_day ?? 'no day'}. Name a later day with --as-of.`,
    );
  }
}

async function currentDetail(folder: LakeFolder): Promise<RunDetail> {
  const lake = new Lake(new FolderStore(new ContentTags(folder.contentTags)), folder.root);
  const current = await lake.find(CURRENT);
  if (current === undefined) throw new UserError(`No run of the lake ${folder.path} has succeeded yet.`);
  return lake.read(RUN_DETAIL.of(current.value.runId));
}

function engineOf(folder: LakeFolder): DuckDbEngine {
  return new DuckDbEngine({ folder: folder.path, queriesFolder: folder.queries });
}
