/**
 * Which model scores and is in charge: the table of five rows in docs/models.md, and what people have decided. Pure.
 * The champion has been scored on the same newest test rows as the challenger, so the two are compared in pairs.
 */
import type { Choice, ChoiceRule, Gate, Scorer } from '../../domain/choice.ts';
import { CHAMPION_METRIC, metricText } from '../../domain/metrics.ts';
import type { ChampionTest, Estimate, IngestResult, TrainingResult } from '../../domain/results.ts';
import type { RunPlan } from '../../domain/run.ts';
import { challengerGates, credibility } from './gates.ts';

export interface Situation {
  readonly plan: Pick<RunPlan, 'runId' | 'champion' | 'promotion' | 'observedBefore'>;
  readonly training: TrainingResult;
  readonly ingest: Pick<IngestResult, 'counts' | 'refused'>;
  /** Scoring cutoff of this run. */
  readonly observationEnd: string;
}

/** A champion that can score: the fields that may be null are there. */
interface UsableChampion {
  readonly test: ChampionTest;
  readonly evaluation: NonNullable<ChampionTest['evaluation']>;
}

interface Verdict {
  readonly rule: ChoiceRule;
  readonly by: 'challenger' | 'champion' | 'nobody';
  readonly reason: string;
}

/** Decides, with the reasons. */
export function chooseModel(situation: Situation): Choice {
  const { plan, training, ingest, observationEnd } = situation;
  const gates = challengerGates({ training, ingest, settings: plan.promotion });
  const champion = usableChampion(situation);
  const difference = champion?.test.comparable === true ? champion.test.difference : null;
  const verdict =
    champion === undefined
      ? withoutChampion(gates)
      : withChampion({ plan, gates, test: champion.test, difference });
  const current = currentness(plan, observationEnd);
  const believed =
    verdict.by === 'champion' && champion !== undefined ? credibility(champion.evaluation) : undefined;
  return {
    runId: plan.runId,
    rule: verdict.rule,
    scorer: scorerOf(verdict.by, situation, champion),
    challengerScores: verdict.by === 'challenger',
    list: verdict.by === 'nobody' ? 'no' : believed?.passed === false ? 'order only' : 'yes',
    baseRate: training.testRows === 0 ? 0 : training.testCancellations / training.testRows,
    comparedWith: training.modelUri,
    makesCurrent: current.makesCurrent,
    gates: [...gates],
    difference,
    reasons: [
      verdict.reason,
      ...unusable(training.champion),
      ...(believed?.passed === false
        ? [`the probabilities of the champion are withheld, only its order holds: ${believed.finding}`]
        : []),
      ...current.reasons,
    ],
  };
}

/** Whether the run makes anything current, and why not. */
export function currentness(
  { observedBefore }: Pick<RunPlan, 'observedBefore'>,
  observationEnd: string,
): Pick<Choice, 'makesCurrent' | 'reasons'> {
  if (observedBefore === null || observationEnd >= observedBefore) return { makesCurrent: true, reasons: [] };
  const reason =
    `the users are scored as known on ${observationEnd}, and the current scores are of ${observedBefore}: ` +
    'nothing becomes current';
  return { makesCurrent: false, reasons: [reason] };
}

function usableChampion({ plan, training: { champion } }: Situation): UsableChampion | undefined {
  if (plan.champion === null || champion === null || champion.notUsable !== null) return undefined;
  return champion.evaluation === null ? undefined : { test: champion, evaluation: champion.evaluation };
}

function unusable(champion: ChampionTest | null): string[] {
  if (champion === null || champion.notUsable === null) return [];
  return [`the champion of run ${champion.runId} cannot be used: ${champion.notUsable}`];
}

function failures(gates: readonly Gate[]): string {
  return gates
    .filter((gate) => !gate.passed)
    .map(({ finding }) => finding)
    .join(', and ');
}

function withoutChampion(gates: readonly Gate[]): Verdict {
  const failed = failures(gates);
  if (failed !== '') return { rule: 'nobody', by: 'nobody', reason: `nobody is in charge: ${failed}` };
  const beaten = gates.find(({ name }) => name === 'baselines')?.finding ?? 'every gate was passed';
  return { rule: 'first', by: 'challenger', reason: `the first model: ${beaten}` };
}

function withChampion(compared: {
  readonly plan: Situation['plan'];
  readonly gates: readonly Gate[];
  readonly test: ChampionTest;
  readonly difference: Estimate | null;
}): Verdict {
  const { plan, gates, test, difference } = compared;
  const stays = (rule: ChoiceRule, reason: string): Verdict => ({ rule, by: 'champion', reason });
  const whose = `the model of run ${test.runId}`;
  if (!test.comparable) {
    const reason = `${whose} stays: its last label window had not ended by the test cutoff, so it cannot be compared`;
    return stays('not_comparable', reason);
  }
  const failed = failures(gates);
  if (failed !== '') return stays('gate_failed', `${whose} stays: ${failed}`);
  if (difference === null || difference.high === null) {
    return stays('gate_failed', `${whose} stays: it could not be compared with the new one on the test rows`);
  }
  const { margin, mode } = plan.promotion;
  const figures = comparison(difference, test.runId);
  if (difference.high < -margin)
    return stays('shown_worse', `${whose} stays: the new one is worse, ${figures}`);
  if (mode === 'manual') {
    const how = `\`churn promote ${plan.runId}\` puts it in charge`;
    return stays(
      'waiting',
      `${whose} stays, as promotion is manual; the new one is not worse (${how}), ${figures}`,
    );
  }
  return { rule: 'not_worse', by: 'challenger', reason: `not worse: ${figures}` };
}

function comparison({ value, low, high }: Estimate, runId: string): string {
  const signed = (figure: number): string =>
    `${figure >= 0 ? '+' : ''}${metricText(CHAMPION_METRIC, figure)}`;
  const interval = low === null || high === null ? '' : ` (${signed(low)} to ${signed(high)})`;
  return `${CHAMPION_METRIC.label} differs by ${signed(value)}${interval} from the champion of run ${runId} on the same test rows`;
}

function scorerOf(
  by: Verdict['by'],
  { plan, training }: Situation,
  champion: UsableChampion | undefined,
): Scorer | null {
  if (by === 'nobody') return null;
  if (by === 'champion' && champion !== undefined) {
    const { runId, modelUri, testCutoff, testScores } = champion.test;
    return { runId, modelUri, testCutoff, model: champion.evaluation.model, testScores };
  }
  return {
    runId: plan.runId,
    modelUri: training.modelUri,
    testCutoff: training.testCutoff,
    model: training.chosen,
    testScores: null,
  };
}
