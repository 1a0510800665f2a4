/** What a run did not look at or did not take of the event log, and how that is shown. */
import { z } from 'zod';
import { PASSED_OVER, PASSED_OVER_REASONS } from './event-files.ts';
import { count, uri } from './fields.ts';

/** Files that are named beside their number. */
export const FILES_NAMED = 10;

export const leftOutSchema = z.strictObject({ count, first: z.array(uri) });
/** How many files, and the first of them. */
export type LeftOut = z.infer<typeof leftOutSchema>;

export const passedOverReasonSchema = z.enum(PASSED_OVER_REASONS);
export const passedOverSchema = z.strictObject({
  reason: passedOverReasonSchema,
  ...leftOutSchema.shape,
});
/** Files that were not read, for one reason. */
export type PassedOver = z.infer<typeof passedOverSchema>;

export const listingSchema = z.strictObject({
  /** Only files after this address were listed (setting `listSince`); null when all were. */
  since: uri.nullable(),
  /** New files beyond what a batch takes. */
  left: leftOutSchema,
  /** Files that the lake holds and the log no longer has. Plans of older versions lack it. */
  gone: z
    .strictObject({
      count,
      /** Those of which no run has said so before. */
      new: leftOutSchema,
    })
    .optional(),
  /** Files below the place that are no event files. Plans of older versions lack it. */
  passedOver: z.array(passedOverSchema).optional(),
  /** Files compressed with gzip that are so large that the one task that can read each takes long. */
  oneTask: leftOutSchema.optional(),
});
export type Listing = z.infer<typeof listingSchema>;

const WHOLE = new Intl.NumberFormat('en');

/** One sentence for each thing that was left out; plans of older versions say nothing about it. */
export function listingWarnings(listing: Listing | undefined): readonly string[] {
  if (listing === undefined) return [];
  const { since, left, gone, passedOver = [], oneTask } = listing;
  return [
    ...(left.count === 0 ? [] : [leftText(left)]),
    ...passedOver.map(passedOverText),
    ...(oneTask === undefined || oneTask.count === 0 ? [] : [oneTaskText(oneTask)]),
    ...(gone === undefined || gone.count === 0 ? [] : [goneText(gone)]),
    ...(since === null ? [] : [sinceText(since)]),
  ];
}

function goneText({ count: files, new: fresh }: NonNullable<Listing['gone']>): string {
  const subject = files === 1 ? '1 file is' : `${WHOLE.format(files)} files are`;
  const known = fresh.count === 0 ? '' : `; not known before: ${namesOf(fresh)}`;
  return `${subject} gone from the log, and the lake keeps what it holds of them (takeOut removes it)${known}`;
}

/** One sentence about files that were not read for one reason. */
export function passedOverText({ reason, ...files }: PassedOver): string {
  const { are, remedy } = PASSED_OVER[reason];
  const subject = files.count === 1 ? '1 file was' : `${WHOLE.format(files.count)} files were`;
  return `${subject} not read (${are}): ${namesOf(files)}${remedy === '' ? '' : `; ${remedy}`}`;
}

function oneTaskText(files: LeftOut): string {
  const subject = files.count === 1 ? '1 file is' : `${WHOLE.format(files.count)} files are`;
  return (
    `${subject} larger than 1 GB and compressed with gzip, which one task must read from beginning to end: ` +
    `${namesOf(files)}; smaller files, or bzip2, are read in parallel`
  );
}

/** The first names, and whether there are more. */
export function namesOf({ count: files, first }: LeftOut): string {
  return `${first.join(', ')}${files > first.length ? ', ...' : ''}`;
}

function leftText(left: LeftOut): string {
  const { count: files } = left;
  const subject = files === 1 ? '1 new file is' : `${WHOLE.format(files)} new files are`;
  return `${subject} left for the next run, because a run takes only so many: ${namesOf(left)}`;
}

function sinceText(since: string): string {
  return (
    `Only files after ${since} were listed (setting listSince): corrections of older files are not looked for. ` +
    'A run whose request names their folder in "events" looks for them'
  );
}
