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
});
export type Listing = z.infer<typeof listingSchema>;

const WHOLE = new Intl.NumberFormat('en');

/** One sentence for each thing that was left out; plans of older versions say nothing about it. */
export function listingWarnings(listing: Listing | undefined): readonly string[] {
  if (listing === undefined) return [];
  const { since, left } = listing;
  return [...(left.count === 0 ? [] : [leftText(left)]), ...(since === null ? [] : [sinceText(since)])];
}

function leftText({ count: files, first }: LeftOut): string {
  const more = files > first.length ? ', ...' : '';
  const subject = files === 1 ? '1 new file is' : `${WHOLE.format(files)} new files are`;
  return `${subject} left for the next run, because a run takes only so many: ${first.join(', ')}${more}`;
}

function sinceText(since: string): string {
  return (
    `Only files after ${since} were listed (setting listSince): corrections of older files are not looked for. ` +
    'A run whose request names their folder in "events" looks for them'
  );
}
