/** What a user's reasons are made of: for each input of a model and each channel of the segments, its words. Pure functions. */
import { z } from 'zod';
import { FEATURES } from './catalogue.ts';
import { CHANNELS, channelColumn } from './channels.ts';
import { type Feature, HALF_LIVES } from './measure.ts';

/** One reason of a user, as `scores.reason_details` holds it. */
export const reasonSchema = z.strictObject({
  /** The reason in words: "4 visits to Downgrade in 7 days, typically 0". */
  text: z.string(),
  /** Column of `features`; of a channel of the segments, the column of its count. */
  feature: z.string(),
  group: z.string(),
  /** Null where the user has none, or most users of the level have none. Of a channel: events per exposure. */
  value: z.number().nullable(),
  typical: z.number().nullable(),
  /** Of the value, compared with the typical one; null where one of them is missing. */
  direction: z.enum(['above', 'below']).nullable(),
  /** By how much it raises the score, in log-odds. */
  change: z.number(),
});
export type Reason = z.infer<typeof reasonSchema>;

export const reasonsSchema = z.array(reasonSchema);

/** In place of reasons, where no value raises the score enough. */
export const NOTHING_STANDS_OUT = 'nothing stands out';

/** What a missing value means where no more is known. */
export const UNKNOWN = 'unknown';

/** Where the plural of an amount has an s: "visit(s) to Home". */
export const PLURAL = '(s)';

export interface ReasonWords {
  /** Before a colon, where there is no number to begin with. */
  readonly label: string;
  /** After a number; `yes or no` where the value is that. */
  readonly amount: string;
  /** Instead of a missing value. */
  readonly absent: string;
}

/** The words of an input. @throws Error where the plural is not the singular with one s more */
export function reasonWords({ label, words, missing }: Feature): ReasonWords {
  const amount = words.kind === 'amount' ? bothNumbers(words.one, words.many) : words.kind;
  return { label, amount, absent: missing ?? UNKNOWN };
}

function bothNumbers(one: string, many: string): string {
  if (one === many) return many;
  const at = [...many].findIndex((letter, index) => letter !== one[index]);
  if (one !== `${many.slice(0, at)}${many.slice(at + 1)}` || many[at] !== 's')
    throw new Error(`"${many}" is not "${one}" with one s more: choose other words`);
  return `${many.slice(0, at)}${PLURAL}${many.slice(at + 1)}`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The words of everything that can be a reason, by its name. */
export const REASON_WORDS: Readonly<Record<string, ReasonWords>> = Object.fromEntries([
  ...FEATURES.filter(({ readBy }) => readBy === undefined).map((feature): [string, ReasonWords] => [
    feature.name,
    reasonWords(feature),
  ]),
  ...HALF_LIVES.flatMap((halfLife) =>
    CHANNELS.map(({ count, label }): [string, ReasonWords] => [
      channelColumn(count, halfLife),
      { label: capital(label), amount: label, absent: UNKNOWN },
    ]),
  ),
]);

/** The exposure of each channel, by the column that counts its events. */
export const CHANNEL_EXPOSURES: ReadonlyMap<string, string> = new Map(
  HALF_LIVES.flatMap((halfLife) =>
    CHANNELS.map(({ count, exposure }): [string, string] => [
      channelColumn(count, halfLife),
      channelColumn(exposure, halfLife),
    ]),
  ),
);

/** The group of each channel, in their order. */
export const CHANNEL_GROUPS = CHANNELS.map(({ group }) => group);

/** A value beside the typical one, as the reasons in `scores` say it: "4 visits to Downgrade in 7 days, typically 0". */
export function comparisonText(name: string, value: number | null, typical: number | null): string {
  const { label, amount, absent } = REASON_WORDS[name] ?? { label: name, amount: name, absent: UNKNOWN };
  const shown = (number: number | null): string => (number === null ? absent : shownNumber(number));
  if (amount === 'yes or no')
    return `${label}: ${answered(value, absent)}, typically ${answered(typical, absent)}`;
  if (value === null) return `${label}: ${absent}, typically ${shown(typical)}`;
  const own = shownNumber(value);
  const figure = `${own} ${amount.replace(PLURAL, own === '1' ? '' : 's')}`;
  if (typical === null || own !== shownNumber(typical)) return `${figure}, typically ${shown(typical)}`;
  if (value === typical) return `${figure}, as is typical`;
  return `${figure}, a little ${value > typical ? 'more' : 'less'} than typical`;
}

/** A value of a feature as the reasons say it: "0.0312", "yes"; instead of a missing one what that means. */
export function valueText(name: string, value: number | null): string {
  const { amount, absent } = REASON_WORDS[name] ?? { amount: name, absent: UNKNOWN };
  if (amount === 'yes or no') return answered(value, absent);
  return value === null ? absent : shownNumber(value);
}

function answered(value: number | null, absent: string): string {
  return value === 1 ? 'yes' : value === 0 ? 'no' : absent;
}

/** Three digits, none behind a whole number, thousands apart; the last digit rounded as Java rounds it. */
function shownNumber(value: number): string {
  const digits = value === 0 ? 0 : 2 - Math.floor(Math.log10(Math.abs(value)));
  return new Intl.NumberFormat('en-US', {
    maximumFractionDigits: Number.isInteger(value) ? 0 : Math.max(1, Math.min(6, digits)),
    roundingMode: 'halfEven',
  }).format(value);
}
