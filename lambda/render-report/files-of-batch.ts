/** The files of a run's batch, as far as the report shows them: which have refused, adapted or duplicate rows, and which came late. */
import { z } from 'zod';
import { FILE_COUNTS, type FileCounts } from '../../domain/lake-objects.ts';
import type { RunPlan } from '../../domain/run.ts';
import type { Lake } from '../run/lake.ts';

/** Files that are shown. */
const MOST_FILES = 12;

export interface FilesOfBatch {
  /** Those with the most refused rows, then the most adapted ones, then the most duplicates. */
  readonly worst: readonly FileCounts[];
  /** Files with refused rows, with adapted rows, and with duplicates. */
  readonly withRefused: number;
  readonly withAdapted: number;
  readonly withDuplicates: number;
  /** Events of days before the one at which the log ended for the run before; undefined where there are none. */
  readonly late: LateEvents | undefined;
}

export interface LateEvents {
  readonly events: number;
  readonly files: number;
  readonly firstDay: string;
  readonly lastDay: string;
}

/** Reads the ledger of the batch page by page. */
export async function readFiles(lake: Lake, { batch, observedBefore }: RunPlan): Promise<FilesOfBatch> {
  let worst: readonly FileCounts[] = [];
  let [withRefused, withAdapted, withDuplicates] = [0, 0, 0];
  let late: LateEvents | undefined;
  for await (const files of lake.rows(FILE_COUNTS.of(batch.batchId))) {
    const striking = files.filter(
      (file) => file.rows_quarantined > 0 || file.rows_adapted > 0 || file.rows_duplicate > 0,
    );
    worst = [...worst, ...striking].sort(byDefects).slice(0, MOST_FILES);
    withRefused += files.filter((file) => file.rows_quarantined > 0).length;
    withAdapted += files.filter((file) => file.rows_adapted > 0).length;
    withDuplicates += files.filter((file) => file.rows_duplicate > 0).length;
    if (observedBefore !== null)
      late = files.reduce((sum, file) => withLate(sum, file, observedBefore), late);
  }
  return { worst, withRefused, withAdapted, withDuplicates, late };
}

function byDefects(a: FileCounts, b: FileCounts): number {
  return (
    b.rows_quarantined - a.rows_quarantined ||
    b.rows_adapted - a.rows_adapted ||
    b.rows_duplicate - a.rows_duplicate
  );
}

/** Rows by adaptation. */
const adaptedSchema = z.record(z.string(), z.number());

/** By adaptation, the rows of the file that had it. */
export function adaptedIn({ adapted }: FileCounts): Readonly<Partial<Record<string, number>>> {
  return adaptedSchema.safeParse(JSON.parse(adapted ?? '{}')).data ?? {};
}

/** By day the number of events and a hash of them. */
const daysSchema = z.record(z.string(), z.tuple([z.number()], z.unknown()));

function withLate(
  sum: LateEvents | undefined,
  { days: text }: FileCounts,
  observedBefore: string,
): LateEvents | undefined {
  const days = daysSchema.safeParse(JSON.parse(text ?? '{}'));
  const late = Object.entries(days.data ?? {}).filter(([day]) => day < observedBefore);
  if (late.length === 0) return sum;
  const lateDays = late.map(([day]) => day).sort();
  const [first = '', last = first] = [lateDays[0], lateDays.at(-1)];
  return {
    events: (sum?.events ?? 0) + late.reduce((events, [, [count]]) => events + count, 0),
    files: (sum?.files ?? 0) + 1,
    firstDay: sum === undefined || first < sum.firstDay ? first : sum.firstDay,
    lastDay: sum === undefined || last > sum.lastDay ? last : sum.lastDay,
  };
}
