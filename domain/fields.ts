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

/** Name of a Glue database or of a namespace, as Spark and Athena read it without quotes. */
export const databaseName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,127}$/, 'must be 1 to 128 of a-z, 0-9 and _, a letter first');
