/** What the regression on segments reads besides them: a few plain columns, and products of them. */
import { FEATURES } from './catalogue.ts';

/** Columns of `features` that are inputs of every model. More of them raised no out-of-fold figure of four logs. */
export const SEGMENT_PLAIN_INPUTS = [
  'is_paid',
  'days_since_last_seen',
  'tenure_days',
  'events_per_day',
  'begun_sessions_per_day',
  'active_days_per_day',
] as const;

type Plain = (typeof SEGMENT_PLAIN_INPUTS)[number];

/** How much a user does matters otherwise for those who pay, and not in a straight line. */
export const SEGMENT_PRODUCTS: readonly (readonly [Plain, Plain])[] = [
  ['events_per_day', 'events_per_day'],
  ['begun_sessions_per_day', 'begun_sessions_per_day'],
  ['events_per_day', 'begun_sessions_per_day'],
  ['is_paid', 'events_per_day'],
  ['is_paid', 'begun_sessions_per_day'],
];

const missing = SEGMENT_PLAIN_INPUTS.filter((name) => !FEATURES.some((feature) => feature.name === name));
if (missing.length > 0)
  throw new Error(`the catalogue has no ${missing.join(', ')}: correct segment-inputs.ts`);
