/** Finds the runs that have had their time: the run that is being planned removes what they left. */
import { OUTCOME_ROWS, RUN_DETAIL, RUN_RECORD, runFolder } from '../../domain/lake-objects.ts';
import type { Current } from '../../domain/records.ts';
import { expiredRuns, MOST_SHOWN_RUNS, type StoredRun } from '../../domain/retention.ts';
import type { Lake } from '../run/lake.ts';
import { runsInUse } from '../run/runs-in-use.ts';
import type { World } from '../run/world.ts';

/** @param runId the run that is being planned */
export async function findExpired(
  { lake, clock, deployment }: Pick<World, 'lake' | 'clock' | 'deployment'>,
  runId: string,
  current: Current | undefined,
): Promise<readonly string[]> {
  const records = await lake.list(RUN_RECORD);
  // All of them are shown; what runs without a record left can wait.
  if (records.length <= MOST_SHOWN_RUNS) return [];
  return expiredRuns({
    now: clock.now(),
    retentionDays: deployment.settings.retentionDays,
    stored: await storedRuns(lake),
    recorded: records.map(({ id, modifiedAt }) => ({ runId: id, at: modifiedAt })),
    withOutcome: new Set((await lake.list(OUTCOME_ROWS)).map(({ id }) => id)),
    inUse: new Set([runId, ...(await runsInUse(lake, current))]),
  });
}

async function storedRuns(lake: Lake): Promise<readonly StoredRun[]> {
  const folder = runFolder('');
  const found = new Map<string, StoredRun>();
  for (const { key, modifiedAt } of await lake.below(folder)) {
    const runId = key.slice(folder.length).replace(/\/.*$/, '');
    const known = found.get(runId);
    const isDetail = key === RUN_DETAIL.of(runId).key;
    found.set(runId, {
      runId,
      writtenAt: known === undefined || known.writtenAt < modifiedAt ? modifiedAt : known.writtenAt,
      hasDetail: isDetail || known?.hasDetail === true,
    });
  }
  return [...found.values()];
}
