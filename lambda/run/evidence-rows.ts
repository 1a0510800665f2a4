/** Rows of the tables of evidence: what a run has found out about users and about its model. Pure functions. */

import { EXPLORED_QUANTILES } from '../../domain/exploration.ts';
import { CHANNELS } from '../../domain/features/channels.ts';
import { segmentNames } from '../../domain/features/segment-name.ts';
import { hazardOf } from '../../domain/hazards.ts';
import type { EvidenceTableName } from '../../domain/lake.ts';
import type { EvidenceRow } from '../../domain/lake-objects.ts';
import type { RunDetail } from '../../domain/records.ts';
import type { Drivers, Exploration, Homogeneity, TrainingResult } from '../../domain/results.ts';
import { shareInterval } from '../../domain/share-interval.ts';

/** By table; none where nothing was trained, or where the run's version did not find it out. */
export function evidenceRows({
  record,
  training,
}: Pick<RunDetail, 'record' | 'training'>): Readonly<Record<EvidenceTableName, readonly EvidenceRow[]>> {
  const of = (rows: readonly EvidenceRow[]): readonly EvidenceRow[] =>
    rows.map((row) => ({ run_id: record.run_id, ...row }));
  const { segments = [], exploration = null, drivers = null, homogeneity = null } = training ?? {};
  return {
    segments: of(segmentRows(segments)),
    exploration: of(exploration === null ? [] : explorationRows(exploration)),
    survival: of(exploration === null ? [] : survivalRows(exploration)),
    hazards: of(exploration === null ? [] : hazardRows(exploration)),
    homogeneity: of(homogeneity === null ? [] : homogeneityRows(homogeneity)),
    drivers: of(drivers === null ? [] : driverRows(drivers, training?.chosen ?? null)),
    feature_ranges: of(drivers === null ? [] : rangeRows(drivers)),
  };
}

function segmentRows(segments: TrainingResult['segments']): readonly EvidenceRow[] {
  const names = segmentNames(segments);
  return segments.flatMap(({ size, rates, freeHazard, paidHazard }, index) =>
    rates.map(({ rate, usual }, channel) => ({
      segment: index + 1,
      name: names[index] ?? null,
      size,
      free_hazard: freeHazard,
      paid_hazard: paidHazard,
      channel: CHANNELS[channel]?.label ?? null,
      rate,
      usual_rate: usual,
    })),
  );
}

/** A share of users with its interval, as the columns of several tables. */
function rateOf(cancelled: number, users: number): EvidenceRow {
  if (users === 0) return NO_RATE;
  return { rate: cancelled / users, ...shareInterval(cancelled / users, users) };
}

const NO_RATE: EvidenceRow = { rate: null, low: null, high: null };

function explorationRows({ groups, measures, pages, weekdays, hours }: Exploration): readonly EvidenceRow[] {
  const figures = (kind: string, of: Exploration['pages']): readonly EvidenceRow[] =>
    of.map(({ name, churned, stayed }) => ({ kind, name, value: null, churned, stayed, ...NO_RATE }));
  return [
    ...groups.map(({ variable, value, churned, stayed }) => ({
      kind: 'group',
      name: variable,
      value,
      churned,
      stayed,
      ...rateOf(churned, churned + stayed),
    })),
    ...measures.flatMap(({ name, churned, stayed }) =>
      EXPLORED_QUANTILES.map((quantile, index) => ({
        kind: 'measure',
        name,
        value: String(quantile),
        churned: churned[index] ?? null,
        stayed: stayed[index] ?? null,
        ...NO_RATE,
      })),
    ),
    ...figures('page', pages),
    ...figures('weekday', weekdays),
    ...figures('hour', hours),
  ];
}

function survivalRows({ survival }: Exploration): readonly EvidenceRow[] {
  return survival.flatMap(({ grouping, value, users, points }) =>
    points.map(({ day, atRisk, cancelled, survival: share, low, high }) => ({
      variable: grouping,
      value,
      users,
      day,
      at_risk: atRisk,
      cancelled,
      survival: share,
      low,
      high,
    })),
  );
}

function hazardRows({ hazards }: Exploration): readonly EvidenceRow[] {
  return hazards.map(({ variable, value, users, days, cancelled }) => ({
    variable,
    value,
    users,
    days,
    cancelled,
    ...hazardOf({ days, cancelled }),
  }));
}

function homogeneityRows({ samples }: Homogeneity): readonly EvidenceRow[] {
  return samples.flatMap(({ sample, users, others, cancelled, differences }) =>
    differences.map(({ feature, test, distance, pValue, adjusted, smallestFound }) => ({
      sample,
      users,
      others,
      cancelled,
      feature,
      test,
      distance,
      p_value: pValue,
      adjusted_p_value: adjusted,
      smallest_found: smallestFound,
    })),
  );
}

function driverRows(
  { groups, features }: Drivers,
  model: TrainingResult['chosen'] | null,
): readonly EvidenceRow[] {
  return [
    ...groups.map(({ group, fall, least, most }) => ({
      model,
      kind: 'group',
      name: group,
      fall,
      low: least,
      high: most,
      correlation: null,
    })),
    ...features.map(({ feature, fall, least, most, correlation }) => ({
      model,
      kind: 'feature',
      name: feature,
      fall,
      low: least,
      high: most,
      correlation,
    })),
  ];
}

function rangeRows({ features }: Drivers): readonly EvidenceRow[] {
  return features.flatMap(({ feature, bands }) =>
    bands.map(({ lowest, highest, users, cancelled, predicted }, index) => ({
      feature,
      band: index + 1,
      lowest,
      highest,
      users,
      cancelled,
      predicted,
      ...rateOf(cancelled, users),
    })),
  );
}
