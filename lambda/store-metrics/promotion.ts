/**
 * Whether the run's model becomes the champion. Pure functions.
 * The challenger is compared with the value that the champion had on its own test rows, which are the same rows only when
 * both have the same test cutoff. The training step does not score the champion on the challenger's test rows.
 */
import { areaLowerBound } from '../../domain/area-lower-bound.ts';
import { chosenEvaluation } from '../../domain/chosen-evaluation.ts';
import {
  CHAMPION_METRIC,
  metricMerit,
  metricOf,
  metricsThatDecide,
  metricText,
} from '../../domain/metrics.ts';
import { BASELINES, LEAKAGE_AUC } from '../../domain/models.ts';
import type { ModelEvaluation, TrainingResult } from '../../domain/results.ts';

export interface Promotion {
  readonly promoted: boolean;
  readonly reason: string;
}

/** The champion, and how it performed on its own test rows. */
export interface ChampionTest {
  readonly runId: string;
  readonly testCutoff: string;
  /** Value of CHAMPION_METRIC; undefined when its run stored none. */
  readonly value: number | undefined;
}

/** Decides, and says why. Every check must pass; the first that does not is the reason. */
export function decidePromotion(training: TrainingResult, champion: ChampionTest | undefined): Promotion {
  const chosen = chosenEvaluation(training);
  if (chosen === undefined || chosen.kind !== 'candidate') {
    return stays(`the chosen model "${training.chosen}" is not among the evaluated candidates`);
  }
  if (!training.reliable) return stays(`the metrics are not reliable: ${training.reliabilityReason}`);
  const obstacle = leakage(training, chosen) ?? unbeatenBaseline(training, chosen);
  if (obstacle !== undefined) return stays(obstacle);
  return champion === undefined ? firstModel() : comparedWithChampion(training, chosen, champion);
}

function firstModel(): Promotion {
  const labels = metricsThatDecide('baselines').map(({ label }) => label);
  return { promoted: true, reason: `the first model; it beats every baseline by ${labels.join(' and ')}` };
}

function leakage(training: TrainingResult, chosen: ModelEvaluation): string | undefined {
  const area = chosen.metrics.auc;
  if (area === undefined) return 'the chosen model has no AUC';
  const positives = training.testCancellations;
  const low = area.low ?? areaLowerBound(area.value, positives, training.testRows - positives);
  if (low <= LEAKAGE_AUC) return undefined;
  const auc = metricOf('auc');
  return (
    `an AUC of ${metricText(auc, area.value)} (at least ${metricText(auc, low)}) is better than any honest prediction: ` +
    'a feature must contain what happened after the cutoff'
  );
}

function unbeatenBaseline(training: TrainingResult, chosen: ModelEvaluation): string | undefined {
  for (const { name, label } of BASELINES) {
    const baseline = training.evaluations.find(({ model }) => model === name);
    if (baseline === undefined) return `the baseline "${label}" was not evaluated`;
    for (const metric of metricsThatDecide('baselines')) {
      const own = chosen.metrics[metric.name]?.value;
      const other = baseline.metrics[metric.name]?.value;
      if (own === undefined || other === undefined) {
        return `it cannot be compared with the baseline "${label}": ${metric.label} is missing`;
      }
      if (metricMerit(metric, own) <= metricMerit(metric, other)) {
        return (
          `it does not beat the baseline "${label}": ${metric.label} is ${metricText(metric, own)}, ` +
          `the baseline has ${metricText(metric, other)}`
        );
      }
    }
  }
  return undefined;
}

function comparedWithChampion(
  training: TrainingResult,
  chosen: ModelEvaluation,
  champion: ChampionTest,
): Promotion {
  const own = chosen.metrics[CHAMPION_METRIC.name]?.value;
  const theirs = champion.value;
  if (own === undefined || theirs === undefined) {
    return stays(
      `it cannot be compared with the champion of run ${champion.runId}: ${CHAMPION_METRIC.label} is missing`,
    );
  }
  const rows =
    champion.testCutoff === training.testCutoff
      ? `both tested at ${training.testCutoff}`
      : `tested at ${training.testCutoff} and ${champion.testCutoff}: not the same rows, so an indication only`;
  const comparison =
    `${CHAMPION_METRIC.label} is ${metricText(CHAMPION_METRIC, own)}, compared with ` +
    `${metricText(CHAMPION_METRIC, theirs)} of the champion of run ${champion.runId} (${rows})`;
  return metricMerit(CHAMPION_METRIC, own) >= metricMerit(CHAMPION_METRIC, theirs)
    ? { promoted: true, reason: `not worse: ${comparison}` }
    : stays(`worse: ${comparison}`);
}

function stays(reason: string): Promotion {
  return { promoted: false, reason };
}
