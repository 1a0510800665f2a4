/**
 * The fields of a run request. Each is described once: its type with its bounds, its option on the command line, its
 * meaning and its default. The request's schema, the command line and the table in the docs are derived from here.
 */
import { z } from 'zod';
import { isoDate, share, uri, wholeNumber } from './fields.ts';
import { TRAIN_MODES } from './training-decision.ts';

/** The commands that send a request. */
export type RequestCommand = 'run' | 'start';

/** Kind of a field's value, by which its text on the command line is read. */
export type RequestValue =
  | { readonly kind: 'S3 location' | 'day' | 'share' | 'run id' | 'switch' | 'addresses' }
  | { readonly kind: 'whole number'; readonly least: number; readonly most: number }
  | { readonly kind: 'one of'; readonly values: readonly string[] };

/** What people and programs need to know about a field of the request, besides its schema. */
export interface RequestField {
  readonly value: RequestValue;
  /** The option as Commander reads it: its name is the field's name in kebab case. */
  readonly option: string;
  readonly meaning: string;
  /** What holds without the field, where that is worth saying. */
  readonly default?: string;
  /** Without the field, the deployment's setting of the same name holds. */
  readonly isSetting?: true;
  /** Commands that offer the option for this field. */
  readonly offeredBy: readonly RequestCommand[];
  /** No other field may be given with it. */
  readonly standsAlone?: true;
}

/** Days after the cutoff in which cancellations are predicted. */
export const HORIZON_DAYS = { least: 1, most: 60 } as const;
/** Seeds that every library of the pipeline accepts: 31 bits. */
export const SEED = { least: 0, most: 2_147_483_647 } as const;

const descriptions = z.registry<RequestField>();

/** Every field is optional: `{}` asks for the defaults. */
export const requestShape = {
  events: uri.optional().register(descriptions, {
    value: { kind: 'S3 location' },
    option: '--events <location>',
    meaning: 'folder, file or glob of event files, below the raw prefix',
    default: "the deployment's log",
    // `churn run` reads files of this machine: its --events is the log of the local deployment, not a field of a request.
    offeredBy: ['start'],
  }),
  observationEnd: isoDate.optional().register(descriptions, {
    value: { kind: 'day' },
    option: '--observation-end <day>',
    meaning: 'scoring cutoff: midnight (UTC) at the start of this day',
    default: 'the end of the log',
    offeredBy: ['run', 'start'],
  }),
  horizonDays: wholeNumber(HORIZON_DAYS)
    .optional()
    .register(descriptions, {
      value: { kind: 'whole number', ...HORIZON_DAYS },
      option: '--horizon-days <number>',
      meaning: 'how many days ahead cancellations are predicted',
      isSetting: true,
      offeredBy: ['run', 'start'],
    }),
  maxQuarantineShare: share.optional().register(descriptions, {
    value: { kind: 'share' },
    option: '--max-quarantine-share <share>',
    meaning: 'share of refused rows above which the run fails',
    isSetting: true,
    offeredBy: ['run', 'start'],
  }),
  strict: z
    .boolean()
    .optional()
    .register(descriptions, {
      value: { kind: 'switch' },
      option: '--strict',
      meaning: 'refuse values that can only mean one thing, unless they are written as they should be',
      isSetting: true,
      offeredBy: ['run', 'start'],
    }),
  seed: wholeNumber(SEED)
    .optional()
    .register(descriptions, {
      value: { kind: 'whole number', ...SEED },
      option: '--seed <number>',
      meaning: 'seed of all random numbers',
      isSetting: true,
      offeredBy: ['run', 'start'],
    }),
  train: z
    .enum(TRAIN_MODES)
    .optional()
    .register(descriptions, {
      value: { kind: 'one of', values: TRAIN_MODES },
      option: '--train <when>',
      meaning:
        'whether models are trained: always, only when there is something new to learn (when-new), or never',
      isSetting: true,
      offeredBy: ['run', 'start'],
    }),
  force: z
    .boolean()
    .optional()
    .register(descriptions, {
      value: { kind: 'switch' },
      option: '--force',
      meaning: 'run even if there are no new files, and train unless `train` says otherwise',
      offeredBy: ['run', 'start'],
    }),
  takeOut: z
    .union([uri, z.array(uri).min(1)])
    .optional()
    .register(descriptions, {
      value: { kind: 'addresses' },
      option: '--take-out <address...>',
      meaning:
        'addresses of event files, or a glob of them, that are gone from the log: what the lake holds of them is removed',
      offeredBy: ['run', 'start'],
    }),
  resume: z
    .string()
    .min(1)
    .optional()
    .register(descriptions, {
      value: { kind: 'run id' },
      option: '--resume <run id>',
      meaning: 'resume the run with this id, which failed; steps that succeeded are skipped',
      offeredBy: ['run', 'start'],
      standsAlone: true,
    }),
  verify: z
    .string()
    .min(1)
    .optional()
    .register(descriptions, {
      value: { kind: 'run id' },
      option: '--verify <run id>',
      meaning:
        'only train the model of the run with this id again, beside the lake: `churn models --verify` sends it, and compares',
      // `churn models` asks before it sends it.
      offeredBy: [],
      standsAlone: true,
    }),
};

export type RequestFieldName = keyof typeof requestShape;

/** The fields in the order of the schema. */
export const REQUEST_FIELDS: readonly (RequestField & { readonly name: string })[] = Object.entries(
  requestShape,
).map(([name, schema]) => {
  const description = descriptions.get(schema);
  if (description === undefined) throw new RangeError(`The request's field ${name} is not described.`);
  return { name, ...description };
});

/** Names of the fields that must be left out, because another field of the request stands alone. */
export function fieldsToLeaveOut(
  request: Readonly<Partial<Record<RequestFieldName, unknown>>>,
): readonly string[] {
  const values = new Map(Object.entries(request));
  const given = REQUEST_FIELDS.filter(({ name }) => values.get(name) !== undefined);
  if (!given.some(({ standsAlone }) => standsAlone)) return [];
  return given.filter(({ standsAlone }) => !standsAlone).map(({ name }) => name);
}
