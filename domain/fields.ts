/** Types of values that the schemas of a run are composed of. */
import { z } from 'zod';
import { ISO_DATE } from './time.ts';

/** A UTC day, YYYY-MM-DD. */
export const isoDate = z.string().regex(ISO_DATE, 'must be a UTC day, YYYY-MM-DD');
/** A whole number within bounds; both are allowed. */
export const wholeNumber = ({ least, most }: { readonly least: number; readonly most: number }) =>
  z.number().int().min(least).max(most);
export const share = z.number().min(0).max(1);
export const count = z.number().int().nonnegative();
/** `s3://bucket/key`, or `file:///path` on one machine. */
export const uri = z.string().min(1);
