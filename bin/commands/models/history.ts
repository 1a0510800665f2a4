/** The history of models in charge, from the records, metrics and choices of runs and the decisions of people. */
import { CHOICE_RULES, type Choice, choiceText, type DecisionByPerson } from '../../../domain/choice.ts';
import { CHOICE, CURRENT, DECISION, METRIC_ROWS, RUN_RECORD } from '../../../domain/lake-objects.ts';
import type { Lake } from '../../../lambda/run/lake.ts';

/** A figure of the model that scored, as its run measured it on its test rows. */
export interface Figure {
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

export interface RunOfHistory {
  readonly kind: 'run';
  readonly at: string;
  readonly runId: string;
  /** Rule of the choice; null for runs of older versions. */
  readonly rule: Choice['rule'] | null;
  readonly ruleText: string;
  /** Run whose model scored; null when no model did. */
  readonly scoredBy: string | null;
  readonly model: string | null;
  readonly promoted: boolean;
  readonly reason: string;
  readonly auc: Figure | null;
  readonly averagePrecisionRatio: Figure | null;
  readonly difference: Figure | null;
}

export type HistoryEntry = RunOfHistory | ({ readonly kind: 'decision' } & DecisionByPerson);

export interface ModelHistory {
  /** Run whose model is in charge. */
  readonly inCharge: string | null;
  /** Run whose scores are current, and whether the model in charge has yet to score. */
  readonly current: string | null;
  readonly rescoringIsDue: boolean;
  readonly manual: { readonly by: string; readonly at: string; readonly why: string } | null;
  /** Newest first. */
  readonly entries: readonly HistoryEntry[];
}

/** @param most number of runs that are read, the newest */
export async function modelHistory(lake: Lake, most: number): Promise<ModelHistory> {
  const current = (await lake.find(CURRENT))?.value;
  const listed = await lake.list(RUN_RECORD);
  const newest = listed.toSorted((a, b) => b.modifiedAt.getTime() - a.modifiedAt.getTime()).slice(0, most);
  const runs = await Promise.all(newest.map(({ id }) => runOf(lake, id)));
  const decisions = await Promise.all((await lake.list(DECISION)).map(({ object }) => lake.glimpse(object)));
  const entries: HistoryEntry[] = [
    ...runs.filter((run) => run !== undefined),
    ...decisions
      .filter((decision) => decision !== undefined)
      .map((decision) => ({ kind: 'decision' as const, ...decision })),
  ];
  const champion = current?.champion ?? null;
  return {
    inCharge: champion?.runId ?? null,
    current: current?.runId ?? null,
    rescoringIsDue:
      champion !== null && current?.scoredUnder !== undefined && champion.runId !== current.scoredUnder,
    manual: current?.manual ?? null,
    entries: entries.sort((a, b) => b.at.localeCompare(a.at)),
  };
}

async function runOf(lake: Lake, runId: string): Promise<RunOfHistory | undefined> {
  const record = await lake.glimpse(RUN_RECORD.of(runId));
  if (record?.status !== 'SUCCEEDED') return undefined;
  const choice = await lake.glimpse(CHOICE.of(runId));
  const rows = (await lake.glimpse(METRIC_ROWS.of(runId))) ?? [];
  const measured = choice?.challengerScores === false && choice.scorer !== null ? 'champion' : record.model;
  const figure = (name: string): Figure | null => {
    const row = rows.find(
      ({ model, slice, metric }) => model === measured && slice === 'all' && metric === name,
    );
    return row === undefined ? null : { value: row.value, low: row.low, high: row.high };
  };
  return {
    kind: 'run',
    at: record.ended_at,
    runId,
    rule: choice?.rule ?? null,
    ruleText: CHOICE_RULES.find(({ name }) => name === choice?.rule)?.label ?? 'not recorded by this version',
    scoredBy: choice === undefined ? runId : (choice.scorer?.runId ?? null),
    model: record.model,
    promoted: record.promoted === true,
    reason: choice === undefined ? (record.promotion_reason ?? '') : choiceText(choice),
    auc: figure('auc'),
    averagePrecisionRatio: figure('average_precision_ratio'),
    difference: choice?.difference ?? null,
  };
}
