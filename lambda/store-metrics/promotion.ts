/**
 * Whether the run's model takes charge. Pure functions.
 * The champion is held against by the figures it had on its own test rows; to score both on the same rows is the
 * training step's to offer, and decidePromotion's to use once it does.
 */
import { areaLowerBound } from '../../domain/area-lower-bound.ts';
import { BASELINES, LEAKAGE_AUC, type MetricName } from '../../domain/models.ts';
import type { ModelEvaluation, TrainingResult } from '../../domain/results.ts';

export interface Promotion {
  readonly promoted: boolean;
  readonly reason: string;
}

/** The model in charge, as it did when it was tested. */
export interface ChampionFigures {
  readonly runId: string;
  readonly testCutoff: string;
  /** Undefined when its run left no such figure. */
  readonly averagePrecisionRatio: number | undefined;
}

const MUST_BEAT: readonly MetricName[] = ['average_precision', 'auc'];

/** Decides, and says why. Every gate must hold; the first that does not is the reason. */
export function decidePromotion(training: TrainingResult, champion: ChampionFigures | undefined): Promotion {
  const chosen = training.evaluations.find(({ model }) => model === training.chosen);
  if (chosen === undefined || chosen.kind !== 'candidate') {
    return stays(`the chosen model "${training.chosen}" is not among the evaluated candidates`);
  }
  if (!training.reliable) return stays(`the figures are not reliable: ${training.reliabilityReason}`);
  const obstacle = leakage(training, chosen) ?? lostAgainstBaseline(training, chosen);
  if (obstacle !== undefined) return stays(obstacle);
  return champion === undefined
    ? { promoted: true, reason: 'the first model; it beats both baselines on average precision and AUC' }
    : againstChampion(training, chosen, champion);
}

function leakage(training: TrainingResult, chosen: ModelEvaluation): string | undefined {
  const area = chosen.metrics.auc;
  if (area === undefined) return 'the chosen model has no AUC';
  const positives = training.testCancellations;
  const low = area.low ?? areaLowerBound(area.value, positives, training.testRows - positives);
  if (low <= LEAKAGE_AUC) return undefined;
  return (
    `an AUC of ${figure(area.value)} (at least ${figure(low)}) is more than can be known ahead: ` +
    'a feature must hold what happened after the cutoff'
  );
}

function lostAgainstBaseline(training: TrainingResult, chosen: ModelEvaluation): string | undefined {
  for (const { name, label } of BASELINES) {
    const baseline = training.evaluations.find(({ model }) => model === name);
    if (baseline === undefined) return `the baseline "${label}" was not evaluated`;
    for (const metric of MUST_BEAT) {
      const own = chosen.metrics[metric]?.value;
      const other = baseline.metrics[metric]?.value;
      if (own === undefined || other === undefined) return `there is no ${metric} to hold against "${label}"`;
      if (own <= other) {
        return `it does not beat the baseline "${label}": ${metric} is ${figure(own)} against ${figure(other)}`;
      }
    }
  }
  return undefined;
}

function againstChampion(
  training: TrainingResult,
  chosen: ModelEvaluation,
  champion: ChampionFigures,
): Promotion {
  const own = chosen.metrics.average_precision_ratio?.value;
  const theirs = champion.averagePrecisionRatio;
  if (own === undefined || theirs === undefined) {
    return stays(`the champion of run ${champion.runId} cannot be compared: a figure is missing`);
  }
  const rows =
    champion.testCutoff === training.testCutoff
      ? `both tested at ${training.testCutoff}`
      : `tested at ${training.testCutoff} and ${champion.testCutoff}: not the same rows, so an indication only`;
  const comparison =
    `average precision is ${own.toFixed(2)} x the base rate against ${theirs.toFixed(2)} x ` +
    `of the champion of run ${champion.runId} (${rows})`;
  return own >= theirs
    ? { promoted: true, reason: `not worse: ${comparison}` }
    : stays(`worse: ${comparison}`);
}

function stays(reason: string): Promotion {
  return { promoted: false, reason };
}

function figure(value: number): string {
  return value.toFixed(3);
}
