/** What a verification has found, as text. Pure functions. */
import { type Difference, NOT_COMPARED, TOLERANCE } from '../../../domain/verification.ts';
import type { Verification } from '../../../local/run/verify-model.ts';

/** Differences that are shown; all of them are in the JSON. */
const SHOWN = 20;

export function verificationText(found: Verification): string {
  const { runId, trainedBy, snapshots, seed, documents } = found;
  const by = trainedBy === undefined ? '' : ` by run ${trainedBy}`;
  const read = Object.entries(snapshots).map(([table, snapshot]) => `${table} ${snapshot}`);
  return [
    `The model of run ${runId} was trained again${by} from the snapshots ${read.join(' and ')}, with its own script and seed ${seed}.`,
    ...(found.differences.length === 0
      ? [
          `It is the same model: ${documents.join(', ')} hold the same values, numbers within ${TOLERANCE} of their size.`,
        ]
      : differencesText(found.differences)),
    `Not compared: ${Object.entries(NOT_COMPARED)
      .map(([key, why]) => `${key} (${why})`)
      .join(', ')}.`,
    '',
  ].join('\n');
}

function differencesText(all: readonly Difference[]): readonly string[] {
  const more = all.length - SHOWN;
  return [
    `It is not the same model: ${all.length === 1 ? '1 value differs' : `${all.length} values differ`}.`,
    ...all
      .slice(0, SHOWN)
      .map(({ place, stored, again }) => `  ${place}: ${valueText(stored)} stored, ${valueText(again)} now`),
    ...(more > 0 ? [`  and ${more} more (--json has all)`] : []),
  ];
}

function valueText(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
