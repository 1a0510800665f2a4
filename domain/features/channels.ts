/**
 * Channels: the pages by whose rates users are assigned to segments. A count, and the exposure in which it could have been counted;
 * their ratio is a habit of the user that does not change with how much they use the product.
 */
import { type Counter, type Feature, type FeatureGroup, HALF_LIVES, type HalfLife } from './measure.ts';

export interface Channel {
  readonly count: Counter;
  readonly exposure: Counter;
  readonly group: FeatureGroup;
  /** As in "adverts per free song". */
  readonly label: string;
  /** What a user does whose rate is high, as in "dislikes three times the usual". */
  readonly verb: string;
}

export const CHANNELS: readonly Channel[] = [
  {
    count: 'thumbs_up',
    exposure: 'songs',
    group: 'enjoyment',
    label: 'thumbs up per song',
    verb: 'likes',
  },
  {
    count: 'thumbs_down',
    exposure: 'songs',
    group: 'enjoyment',
    label: 'thumbs down per song',
    verb: 'dislikes',
  },
  {
    count: 'free_adverts',
    exposure: 'free_songs',
    group: 'adverts',
    label: 'adverts per free song',
    verb: 'hears adverts while free',
  },
  {
    count: 'paid_adverts',
    exposure: 'paid_songs',
    group: 'adverts',
    label: 'adverts per paid song',
    verb: 'hears adverts while paying',
  },
  {
    count: 'upgrade_visits',
    exposure: 'free_events',
    group: 'subscription',
    label: 'visits to Upgrade per free event',
    verb: 'looks at Upgrade',
  },
  {
    count: 'downgrade_visits',
    exposure: 'paid_events',
    group: 'subscription',
    label: 'visits to Downgrade per paid event',
    verb: 'looks at Downgrade',
  },
];

/** The column of `features` that holds a counter of a channel. */
export function channelColumn(counter: Counter, halfLife: HalfLife): string {
  return halfLife === 'none' ? `${counter}_ever` : `${counter}_half_life_${halfLife}`;
}

function channelFeature(counter: Counter, group: FeatureGroup, halfLife: HalfLife): Feature {
  const noun = counter.replaceAll('_', ' ');
  const spoken = halfLife === 'none' ? 'ever' : `half-life ${halfLife} days`;
  return {
    name: channelColumn(counter, halfLife),
    label: `${noun.charAt(0).toUpperCase()}${noun.slice(1)}, ${spoken}`,
    description:
      halfLife === 'none'
        ? `All ${noun} so far; read by behaviour segments, and no model reads it as it is`
        : `${noun.charAt(0).toUpperCase()}${noun.slice(1)}, each counted half after every ${halfLife} days; read by behaviour segments`,
    unit: 'events',
    words: { kind: 'amount', one: noun, many: noun },
    group,
    measure:
      halfLife === 'none'
        ? { combine: 'sum', counter, window: 'ever' }
        : { combine: 'decayed sum', counter, halfLife },
    scale: 'linear',
    fill: 0,
    drift: 'exempt',
    readBy: 'segments',
  };
}

/** Each count and each exposure once, with the group of the first channel that has it. */
const COUNTER_GROUPS: ReadonlyMap<Counter, FeatureGroup> = new Map(
  CHANNELS.flatMap(({ count, exposure, group }) => [
    [exposure, group] as const,
    [count, group] as const,
  ]).toReversed(),
);

/** The columns from which segments are computed, for every half-life. */
export const CHANNEL_FEATURES: readonly Feature[] = HALF_LIVES.flatMap((halfLife) =>
  [...COUNTER_GROUPS].map(([counter, group]) => channelFeature(counter, group, halfLife)),
);
