/** Slices: parts of the test users, to see whether a model is as good for each of them as for all. */
import { OTHER, TENURE_BANDS } from './exploration.ts';
import { REGIONS } from './features/regions.ts';

/** A value of a slice variable: users of whom a column of `features` is at least so much. */
export interface SliceValue {
  readonly value: string;
  readonly column: string;
  readonly least: number;
}

/** A way of dividing the test users as they were known at the test cutoff. */
export interface SliceVariable {
  readonly name: string;
  readonly label: string;
  /** The first that holds counts; a user of whom none holds is unknown. None: segments, by number, the largest first. */
  readonly values: readonly SliceValue[];
  /** Whether people see the last value first. */
  readonly shownBackwards?: boolean;
}

const yes = (value: string, column: string): SliceValue => ({ value, column, least: 1 });
/** What is left of the users of whom the column is known. */
const rest = (value: string, column: string): SliceValue => ({ value, column, least: 0 });

export const SLICE_VARIABLES = [
  { name: 'level', label: 'Subscription', values: [yes('paid', 'is_paid'), rest('free', 'is_paid')] },
  { name: 'gender', label: 'Gender', values: [yes('F', 'is_female'), rest('M', 'is_female')] },
  {
    name: 'device',
    label: 'Device',
    values: [
      yes('phone or tablet', 'on_phone_or_tablet'),
      yes('Windows', 'on_windows'),
      yes('Mac', 'on_mac'),
      yes('Linux', 'on_linux'),
      rest(OTHER, 'on_windows'),
    ],
  },
  {
    name: 'tenure',
    label: 'Time since registration',
    values: TENURE_BANDS.toReversed().map(({ value, fromDays }) => ({
      value,
      column: 'tenure_days',
      least: fromDays,
    })),
    shownBackwards: true,
  },
  {
    name: 'region',
    label: 'Region',
    values: [
      ...REGIONS.map(({ name }) => yes(name, `in_${name}`)),
      rest(OTHER, `in_${REGIONS[0]?.name ?? ''}`),
    ],
  },
  { name: 'segment', label: 'Segment', values: [] },
] as const satisfies readonly SliceVariable[];

/** Models that are measured on slices; `champion` where it could be scored on the test rows. */
export const SLICED_MODELS = ['challenger', 'champion'] as const;
export type SlicedModel = (typeof SLICED_MODELS)[number];

/** With fewer users a slice's figures say next to nothing, and are not shown. */
export const LEAST_SLICE_USERS = 50;

/** What `model_metrics` holds of a slice. Names are stored; `auc` is the metric of that name. */
export const SLICE_METRICS = [
  'users',
  'cancelled',
  'cancellation_rate',
  'predicted',
  'predicted_over_observed',
] as const;
export type SliceMetricName = (typeof SLICE_METRICS)[number];
