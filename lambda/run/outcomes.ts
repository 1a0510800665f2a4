/** What came true of the scores of earlier runs: written once for each run, and read by all later ones. */
import { OUTCOME_ROWS } from '../../domain/lake-objects.ts';
import { type KnownOutcomes, knownOutcomes, outcomeRows } from '../../domain/outcomes.ts';
import type { RunDetail } from '../../domain/records.ts';
import type { Lake } from './lake.ts';

/** The outcomes that are read at most, the newest first. */
const MOST_RUNS = 400;
const READ_TOGETHER = 40;

type Counting = Pick<RunDetail, 'plan' | 'scoring'>;

/** All that is known, with what the run itself has counted. An object that cannot be read is left out. */
export async function readOutcomes(lake: Lake, { plan, scoring }: Counting): Promise<KnownOutcomes> {
  const listed = await lake.list(OUTCOME_ROWS);
  const stored = new Set(listed.map(({ id }) => id));
  const counted = (scoring.outcomes ?? []).filter(({ runId }) => !stored.has(runId));
  const known = counted.map((outcome) => outcomeRows(outcome, plan.runId));
  const newest = listed
    .toSorted((a, b) => b.modifiedAt.getTime() - a.modifiedAt.getTime())
    .slice(0, MOST_RUNS);
  for (let start = 0; start < newest.length; start += READ_TOGETHER) {
    const read = newest.slice(start, start + READ_TOGETHER).map(({ object }) => lake.glimpse(object));
    known.push(...(await Promise.all(read)).map((rows) => rows ?? []));
  }
  return knownOutcomes(known);
}

/** Stores what the run has counted; what is there stays, so that an outcome never changes. */
export async function writeOutcomes(lake: Lake, { plan, scoring }: Counting): Promise<void> {
  for (const outcome of scoring.outcomes ?? []) {
    await lake.create(OUTCOME_ROWS.of(outcome.runId), outcomeRows(outcome, plan.runId));
  }
}
