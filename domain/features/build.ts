/** Makers of features that come in families, so that each is named and described in the same way. */
import {
  type Counter,
  type Feature,
  type FeatureGroup,
  type Measure,
  type Prior,
  WINDOWS,
  type Window,
  type Words,
} from './measure.ts';

/** A counter, as the report and the docs call it. */
export interface Noun {
  readonly counter: Counter;
  /** Plural, in lower case: "songs". */
  readonly noun: string;
  /** Singular: "song". */
  readonly one: string;
  readonly group: FeatureGroup;
  readonly unit?: string;
}

const spoken = (window: Window): string => (window === 'ever' ? 'ever' : `last ${window} days`);
const during = (window: Window): string => (window === 'ever' ? 'so far' : `in ${window} days`);
const suffix = (window: Window): string => (window === 'ever' ? '' : `_last_${window}_days`);
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Words of a number of things. */
export function amountOf(one: string, many: string, rest = ''): Words {
  const end = rest === '' ? '' : ` ${rest}`;
  return { kind: 'amount', one: `${one}${end}`, many: `${many}${end}` };
}

/** The sums of a counter over windows (by default all of 3, 7, 14 and 28 days), and its rate per observed day. */
export function counts(noun: Noun, windows: readonly Window[] = WINDOWS): readonly Feature[] {
  const unit = noun.unit ?? noun.noun;
  const sums = windows.map(
    (window): Feature => ({
      name: `${noun.counter}${suffix(window)}`,
      label: `${capital(noun.noun)}, ${spoken(window)}`,
      description: `${capital(noun.noun)} in the ${spoken(window)}`,
      unit,
      words: amountOf(noun.one, noun.noun, during(window)),
      group: noun.group,
      measure: { combine: 'sum', counter: noun.counter, window },
      scale: 'log1p',
      fill: 0,
      drift: 'alarm',
    }),
  );
  return [
    ...sums,
    {
      name: `${noun.counter}_per_day`,
      label: `${capital(noun.noun)} per day`,
      description: `${capital(noun.noun)} per day on which the user was observed`,
      unit: `${unit} per day`,
      words: amountOf(noun.one, noun.noun, 'per day'),
      group: noun.group,
      measure: { combine: 'per day', counter: noun.counter, window: 'ever' },
      scale: 'log1p',
      fill: 0,
      // One visit in 48 days is another rate than one in 62, though the user has not changed; the windows alarm instead.
      drift: 'exempt',
    },
  ];
}

/** The ratio of two counters over windows; a prior steadies it where little was seen. */
export function ratios(
  of: Noun,
  per: { readonly counter: Counter; readonly noun: string; readonly name: string },
  windows: readonly Window[],
  prior?: Prior,
): readonly Feature[] {
  return windows.map((window): Feature => {
    const measure: Measure = { combine: 'ratio', of: of.counter, per: per.counter, window };
    return {
      name: `${of.counter}_per_${per.name}${suffix(window)}`,
      label: `${capital(of.noun)} per ${per.noun}, ${spoken(window)}`,
      description: `${capital(of.noun)} per ${per.noun}, ${spoken(window)}${
        prior === undefined ? '' : `, from ${prior.of} in ${prior.per}`
      }`,
      unit: `${of.noun} per ${per.noun}`,
      words: amountOf(of.one, of.noun, `per ${per.noun} ${during(window)}`),
      group: of.group,
      measure: prior === undefined ? measure : { ...measure, prior },
      scale: 'log1p',
      fill: prior === undefined ? 'median' : 0,
      drift: 'alarm',
    };
  });
}

/** How the last week compares with the last four. */
export function trend(noun: Noun): Feature {
  return {
    name: `${noun.counter}_trend`,
    label: `${capital(noun.noun)}, last week against month`,
    description: `${capital(noun.noun)} per day in the last 7 days, divided by that of the last 28`,
    unit: 'ratio',
    words: amountOf('times', 'times', `the month's ${noun.noun} per day in the last week`),
    group: 'habit',
    measure: { combine: 'trend', counter: noun.counter, recent: 7, usual: 28 },
    scale: 'linear',
    fill: 1,
    drift: 'alarm',
  };
}
