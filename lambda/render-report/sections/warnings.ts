/** What a reader should beware of, said plainly. Pure functions. */
import { areaLowerBound } from '../../../domain/area-lower-bound.ts';
import { defectiveRows } from '../../../domain/defective-rows.ts';
import { driftByChance, driftLevel, isExemptFromDriftAlarm } from '../../../domain/drift-thresholds.ts';
import type { RunDetail } from '../../../domain/records.ts';
import { decimal, percent, whole } from '../format.ts';
import { featureLabel } from '../labels.ts';
import { driftText } from './drift.ts';
import { chosenEvaluation } from './models.ts';

/** Above this share of defective rows the exporter should be looked at. */
const NOTEWORTHY_QUARANTINE = 0.005;
/** Bars of calibration: beyond them a probability is a rank rather than a chance. */
const CALIBRATION_SLOPE = { least: 0.8, most: 1.2 } as const;
const CALIBRATION_ERROR = 0.02;

export function warnings(detail: RunDetail): readonly string[] {
  return [
    ...reliability(detail),
    ...calibration(detail),
    ...uncertainty(detail),
    ...drift(detail),
    ...quarantine(detail),
  ];
}

function reliability({ training }: RunDetail): string[] {
  if (training.reliable) return [];
  return [`Do not act on these figures alone: ${training.reliabilityReason}.`];
}

function calibration(detail: RunDetail): string[] {
  const { calibration_error: error, calibration_slope: slope } = chosenEvaluation(detail)?.metrics ?? {};
  const isOff =
    (error !== undefined && error.value > CALIBRATION_ERROR) ||
    (slope !== undefined && (slope.value < CALIBRATION_SLOPE.least || slope.value > CALIBRATION_SLOPE.most));
  if (!isOff) return [];
  const figures = [
    ...(error === undefined ? [] : [`off by ${percent(error.value)} on average`]),
    ...(slope === undefined ? [] : [`slope ${decimal(slope.value, 2)}, 1 would be right`]),
  ];
  return [
    `The probabilities are not well calibrated (${figures.join('; ')}): rely on the order of users more.`,
  ];
}

function uncertainty(detail: RunDetail): string[] {
  const area = chosenEvaluation(detail)?.metrics.auc;
  const { testCancellations: positives, testRows } = detail.training;
  if (area === undefined || area.low !== null) return [];
  const margin = area.value - areaLowerBound(area.value, positives, testRows - positives);
  return [
    `The figures come from ${whole(positives)} cancellations among ${whole(testRows)} tested users, without ` +
      `intervals: an AUC from so few is uncertain by about ± ${decimal(margin, 2)}.`,
  ];
}

function drift({ training, scoring }: RunDetail): string[] {
  const { features, score } = scoring.drift;
  const moved = [
    { label: 'the score', psi: score, isExempt: false },
    ...features.map(({ feature, psi }) => ({
      label: featureLabel(feature),
      psi,
      isExempt: isExemptFromDriftAlarm(feature),
    })),
  ].filter(({ psi, isExempt }) => !isExempt && driftLevel(psi) === 'alarm');
  if (moved.length === 0) return [];
  const named = moved.map(({ label, psi }) => `${label} ${driftText(psi)}`).join(', ');
  const chance = driftByChance(training.testRows, scoring.users);
  if (moved.every(({ psi }) => psi <= chance)) {
    return [
      `Users may have changed since the model was tested (stability index: ${named}), but among so few users ` +
        `chance alone takes one feature in 20 to ${driftText(chance)} and beyond: see “Whether users have changed”.`,
    ];
  }
  return [
    `Users are not as they were when the model was tested (stability index: ${named}): see “Whether users ` +
      'have changed”.',
  ];
}

function quarantine({ ingest }: RunDetail): string[] {
  const { read } = ingest.counts;
  const share = read === 0 ? 0 : defectiveRows(ingest) / read;
  if (share < NOTEWORTHY_QUARANTINE) return [];
  return [
    `${percent(share)} of the rows were refused as defective: see “What was read” for why, and what to do.`,
  ];
}
