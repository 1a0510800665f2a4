/** Support for the generator's tests: temporary folders, and logs read back. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { AUTHS, LEVELS, PAGES } from '../../domain/events.ts';
import type { Dirt } from '../../generator/dirt.ts';
import { type GenerateOptions, type GenerateSummary, generateLog } from '../../generator/generate.ts';

/** A row of a clean log, with stricter rules than ingest's. */
export const rowSchema = z.strictObject({
  ts: z.int(),
  userId: z.string(),
  sessionId: z.int().positive(),
  page: z.enum(PAGES),
  auth: z.enum(AUTHS),
  method: z.enum(['GET', 'PUT']),
  status: z.union([z.literal(200), z.literal(307), z.literal(404)]),
  level: z.enum(LEVELS),
  itemInSession: z.int().nonnegative(),
  location: z.string().optional(),
  userAgent: z.string().optional(),
  lastName: z.string().optional(),
  firstName: z.string().optional(),
  registration: z.int().optional(),
  gender: z.enum(['F', 'M']).optional(),
  artist: z.string().optional(),
  song: z.string().optional(),
  length: z.number().positive().optional(),
});
export type Row = z.infer<typeof rowSchema>;

/** Runs a test with a temporary folder. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'churn-generator-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A generated log in memory, with its files by name. */
export interface Log {
  readonly summary: GenerateSummary;
  readonly files: ReadonlyMap<string, Buffer>;
}

/** Generates a log and reads it into memory. */
export async function generated(options: Omit<GenerateOptions, 'outputFolder'>): Promise<Log> {
  return withFolder(async (outputFolder) => {
    const summary = await generateLog({ ...options, outputFolder });
    const names = (await readdir(outputFolder)).sort();
    const files = new Map<string, Buffer>();
    for (const name of names) files.set(name, await readFile(join(outputFolder, name)));
    return { summary, files };
  });
}

/** The rows of a clean log, in the order of the files. */
export function rowsOf({ files }: Log): Row[] {
  return [...files.values()].flatMap((bytes) => {
    const lines = bytes.toString('utf8').split('\n');
    if (lines.pop() !== '') throw new Error('a file does not end with a line ending');
    return lines.map((line) => rowSchema.parse(JSON.parse(line)));
  });
}

/** What was mixed into a dirty log. */
export function dirtOf({ summary }: Log): Dirt {
  if (summary.dirt === undefined) throw new Error('the log is clean');
  return summary.dirt;
}

/** Groups by a key, keeping the order. */
export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
