/** What the run's own model must pass before it may be in charge, whatever the champion is worth. Pure functions. */
import { areaLowerBound } from '../../domain/area-lower-bound.ts';
import type { Gate, GateName } from '../../domain/choice.ts';
import { chosenEvaluation } from '../../domain/chosen-evaluation.ts';
import { defectiveRows } from '../../domain/defective-rows.ts';
import { metricMerit, metricOf, metricsThatDecide, metricText } from '../../domain/metrics.ts';
import { BASELINES } from '../../domain/models.ts';
import { PREDICTED_OBSERVED_LIMITS, predictedObserved } from '../../domain/predicted-observed.ts';
import type { IngestResult, ModelEvaluation, TrainingResult } from '../../domain/results.ts';
import type { PromotionSettings } from '../../domain/run.ts';

export interface Examined {
  readonly training: TrainingResult;
  readonly ingest: Pick<IngestResult, 'counts' | 'refused'>;
  readonly settings: PromotionSettings;
}

/** Every gate with its finding, in the order in which people should read them. */
export function challengerGates({ training, ingest, settings }: Examined): readonly Gate[] {
  const chosen = chosenEvaluation(training);
  if (chosen === undefined || chosen.kind !== 'candidate') {
    const finding = `the chosen model "${training.chosen}" is not among the evaluated candidates`;
    return [failed('candidate', finding), cancellations(training), quarantine(ingest, settings)];
  }
  return [
    passed('candidate', `"${training.chosen}" was fitted`),
    cancellations(training),
    leak(training, chosen, settings),
    leakingInput(training, settings),
    baselines(training, chosen),
    credibility(chosen),
    quarantine(ingest, settings),
  ];
}

/** Whether the probabilities of a model can be believed, by its predicted and observed cancellations on test rows. */
export function credibility(evaluation: ModelEvaluation): Gate {
  const found = predictedObserved(evaluation);
  if (found === undefined) return passed('predicted_observed', 'no cancellations came to compare with');
  const { predicted, observed, value, low, high, credible } = found;
  const { least, most } = PREDICTED_OBSERVED_LIMITS;
  const ratio =
    `${predicted.toFixed(1)} cancellations were predicted where ${observed} came: ` +
    `${value.toFixed(2)} (${low?.toFixed(2)} to ${high?.toFixed(2)})`;
  return credible
    ? passed('predicted_observed', ratio)
    : failed('predicted_observed', `${ratio}, outside ${least} to ${most}`);
}

function cancellations({ reliable, reliabilityReason, trainCancellations }: TrainingResult): Gate {
  return reliable
    ? passed('cancellations', `${trainCancellations} cancellations in the training rows`)
    : failed('cancellations', `the metrics are not reliable: ${reliabilityReason}`);
}

function leak(training: TrainingResult, chosen: ModelEvaluation, { leakageAuc }: PromotionSettings): Gate {
  const area = chosen.metrics.auc;
  if (area === undefined) return failed('leak', 'the chosen model has no AUC');
  const positives = training.testCancellations;
  const low = area.low ?? areaLowerBound(area.value, positives, training.testRows - positives);
  const auc = metricOf('auc');
  const figures = `an AUC of ${metricText(auc, area.value)} (at least ${metricText(auc, low)})`;
  if (low <= leakageAuc) return passed('leak', figures);
  return failed(
    'leak',
    `${figures} is better than any honest prediction: a feature must contain what happened after the cutoff`,
  );
}

function leakingInput(
  { singleInputs }: TrainingResult,
  { leakageInputAuc, acceptedFeatures }: PromotionSettings,
): Gate {
  const auc = metricOf('auc');
  const suspects = singleInputs.filter(
    ({ feature, low }) => low > leakageInputAuc && !acceptedFeatures.includes(feature),
  );
  if (suspects.length === 0) return passed('leaking_input', 'no input ranks too well by itself');
  const named = suspects.map(
    ({ feature, auc: value, low }) =>
      `${feature} ranks with an AUC of ${metricText(auc, value)} by itself (at least ${metricText(auc, low)})`,
  );
  return failed(
    'leaking_input',
    `${named.join(', ')}: find out whether it knows the future, then name it in the setting excludedFeatures or ` +
      'acceptedFeatures',
  );
}

function baselines(training: TrainingResult, chosen: ModelEvaluation): Gate {
  for (const { name, label } of BASELINES) {
    const baseline = training.evaluations.find(({ model }) => model === name);
    if (baseline === undefined) return failed('baselines', `the baseline "${label}" was not evaluated`);
    for (const metric of metricsThatDecide('baselines')) {
      const own = chosen.metrics[metric.name]?.value;
      const other = baseline.metrics[metric.name]?.value;
      if (own === undefined || other === undefined) {
        const finding = `it cannot be compared with the baseline "${label}": ${metric.label} is missing`;
        return failed('baselines', finding);
      }
      if (metricMerit(metric, own) <= metricMerit(metric, other)) {
        const finding =
          `it does not beat the baseline "${label}": ${metric.label} is ${metricText(metric, own)}, ` +
          `the baseline has ${metricText(metric, other)}`;
        return failed('baselines', finding);
      }
    }
  }
  const labels = metricsThatDecide('baselines').map(({ label }) => label);
  return passed('baselines', `it beats every baseline by ${labels.join(' and ')}`);
}

/** The request of a run may let it go on with more refused rows than the deployment stands for. */
function quarantine(ingest: Examined['ingest'], { maxQuarantineShare }: PromotionSettings): Gate {
  const { read } = ingest.counts;
  const share = read === 0 ? 0 : defectiveRows(ingest) / read;
  const percent = (value: number): string => `${(100 * value).toFixed(1)}%`;
  return share <= maxQuarantineShare
    ? passed('quarantine', `${percent(share)} of the rows were refused`)
    : failed(
        'quarantine',
        `${percent(share)} of the rows were refused, and a model is promoted up to ${percent(maxQuarantineShare)}`,
      );
}

function passed(name: GateName, finding: string): Gate {
  return { name, passed: true, finding };
}

function failed(name: GateName, finding: string): Gate {
  return { name, passed: false, finding };
}
