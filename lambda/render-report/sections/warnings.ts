/** What limits the use of the report, in plain words. Pure functions. */
import { areaLowerBound } from '../../../domain/area-lower-bound.ts';
import { checkCalibration } from '../../../domain/calibration-check.ts';
import { defectiveRows } from '../../../domain/defective-rows.ts';
import { driftByChance, driftLevel, isExemptFromDriftAlarm } from '../../../domain/drift-thresholds.ts';
import { logWarnings } from '../../../domain/log-state.ts';
import { nothingLearnt } from '../../../domain/nothing-learnt.ts';
import { outcomeWarning } from '../../../domain/outcome-watch.ts';
import type { RunDetail } from '../../../domain/records.ts';
import type { Estimate } from '../../../domain/results.ts';
import { scoringEvaluation } from '../../../domain/scoring-evaluation.ts';
import { counted, decimal, percent, whole } from '../format.ts';
import { featureLabel } from '../labels.ts';
import { CAME_TRUE_HEADING } from './came-true.ts';
import { comparedWith, DRIFT_HEADING, driftText } from './drift.ts';
import { READING_HEADING } from './reading.ts';

/** Above this share of defective rows the exporter should be looked at. */
const NOTEWORTHY_QUARANTINE = 0.005;

/** Features that a sentence names. */
const MOST_NAMED = 6;

/** One sentence for each thing to beware of; empty when there is none. */
export function warnings(detail: RunDetail): readonly string[] {
  const nothing = nothingLearnt(detail);
  return [
    ...(nothing === undefined ? [] : [`${nothing}.`]),
    ...withheld(detail),
    ...reliability(detail),
    ...calibration(detail),
    ...outcomes(detail),
    ...uncertainty(detail),
    ...drift(detail),
    ...dataWarnings(detail),
  ];
}

/** One sentence for each thing that is wrong with the data. */
export function dataWarnings(detail: RunDetail): readonly string[] {
  return [...quarantine(detail), ...logWarnings(detail).map((warning) => `${warning}.`)];
}

function withheld({ choice }: RunDetail): string[] {
  if (choice === undefined || choice.list === 'yes') return [];
  return choice.list === 'no'
    ? [
        'No model is in charge: every user has the base rate, without ranks and deciles, and there is no list.',
      ]
    : ['The probabilities of this model are withheld: only the order of the users holds.'];
}

function reliability({ training }: RunDetail): string[] {
  if (training === null || training.reliable) return [];
  return [`Do not act on these metrics alone: ${training.reliabilityReason}.`];
}

/** Only what the test rows contradict: a perfect model, too, is off by some chance. */
function calibration(detail: RunDetail): string[] {
  const { contradicted, predictedObserved, slope } = checkCalibration(scoringEvaluation(detail)?.curve ?? []);
  if (contradicted.length === 0) return [];
  const said = (estimate: Estimate): string =>
    `${decimal(estimate.value, 2)}, from ${decimal(estimate.low ?? estimate.value, 2)} to ${decimal(estimate.high ?? estimate.value, 2)}`;
  const findings = [
    ...(predictedObserved === undefined
      ? ['nobody cancelled']
      : [`predicted over observed cancellations ${said(predictedObserved)}`]),
    ...(slope === undefined ? [] : [`slope ${said(slope)}`]),
  ];
  return [
    `The probabilities are not well calibrated (${findings.join('; ')}; ideally 1): rely on the ranking of users more ` +
      'than on the probabilities.',
  ];
}

function outcomes(detail: RunDetail): string[] {
  const warning = outcomeWarning(detail.outcomes?.past ?? []);
  return warning === undefined ? [] : [`${warning}: see “${CAME_TRUE_HEADING}”.`];
}

function uncertainty(detail: RunDetail): string[] {
  const area = scoringEvaluation(detail)?.metrics.auc;
  const { training } = detail;
  if (training === null || area === undefined || area.low !== null) return [];
  const { testCancellations: positives, testRows } = training;
  const margin = area.value - areaLowerBound(area.value, positives, testRows - positives);
  return [
    `The metrics come from ${whole(positives)} cancellations among ${whole(testRows)} test users, without ` +
      `intervals: an AUC from so few is uncertain by about ± ${decimal(margin, 2)}.`,
  ];
}

function drift(detail: RunDetail): string[] {
  const { scoring } = detail;
  const { features, score } = scoring.drift;
  const drifted = [
    { label: 'the score', psi: score, isExempt: false },
    ...features.map(({ feature, psi }) => ({
      label: featureLabel(feature),
      psi,
      isExempt: isExemptFromDriftAlarm(feature),
    })),
  ].filter(({ psi, isExempt }) => !isExempt && driftLevel(psi) === 'alarm');
  const tested = comparedWith(detail);
  if (drifted.length === 0 || tested === undefined) return [];
  const furthest = drifted.toSorted((a, b) => b.psi - a.psi).slice(0, MOST_NAMED);
  const more = drifted.length - furthest.length;
  const named =
    furthest.map(({ label, psi }) => `${label} ${driftText(psi)}`).join(', ') +
    (more === 0 ? '' : ` and ${counted(more, 'other')}`);
  const chance = driftByChance(tested.users, scoring.users);
  if (drifted.every(({ psi }) => psi <= chance)) {
    return [
      `The scored users may differ from those on whom the model was tested (stability index: ${named}), but with so ` +
        `few users chance alone takes one feature in 20 to ${driftText(chance)} or more: see “${DRIFT_HEADING}”.`,
    ];
  }
  return [
    `The scored users differ from those on whom the model was tested (stability index: ${named}): see ` +
      `“${DRIFT_HEADING}”.`,
  ];
}

function quarantine({ ingest }: RunDetail): string[] {
  const { read } = ingest.counts;
  const share = read === 0 ? 0 : defectiveRows(ingest) / read;
  if (share < NOTEWORTHY_QUARANTINE) return [];
  return [
    `${percent(share)} of the rows were refused as defective: see “${READING_HEADING}” for the reasons and what to do.`,
  ];
}
