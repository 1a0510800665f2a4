/** Kinds of values that the shapes of a run are made of. */
import { z } from 'zod';
import { ISO_DATE } from './time.ts';

/** A UTC day, YYYY-MM-DD. */
export const isoDate = z.string().regex(ISO_DATE, 'must be a UTC day, YYYY-MM-DD');
export const share = z.number().min(0).max(1);
export const count = z.number().int().nonnegative();
/** `s3://bucket/key`, or `file:///path` on one machine. */
export const uri = z.string().min(1);
