/** What a run did not look at or did not take of the event log, and how people are told. */
import { z } from 'zod';
import { count, uri } from './fields.ts';

/** Files that are named beside their number. */
export const FILES_NAMED = 10;

export const leftOutSchema = z.strictObject({ count, first: z.array(uri) });
/** How many files, and the first of them. */
export type LeftOut = z.infer<typeof leftOutSchema>;

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
});
export type Listing = z.infer<typeof listingSchema>;

const WHOLE = new Intl.NumberFormat('en');

/** One sentence for each thing that was left out; plans of older versions say nothing about it. */
export function listingWarnings(listing: Listing | undefined): readonly string[] {
  if (listing === undefined) return [];
  const { since, left, gone } = listing;
  return [
    ...(left.count === 0 ? [] : [leftText(left)]),
    ...(gone === undefined || gone.count === 0 ? [] : [goneText(gone)]),
    ...(since === null ? [] : [sinceText(since)]),
  ];
}

function goneText({ count: files, new: fresh }: NonNullable<Listing['gone']>): string {
  const subject = files === 1 ? '1 file is' : `${WHOLE.format(files)} files are`;
  const known = fresh.count === 0 ? '' : `; not known before: ${namesOf(fresh)}`;
  return `${subject} gone from the log, and the lake keeps what it holds of them (takeOut removes it)${known}`;
}

function namesOf({ count: files, first }: LeftOut): string {
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
