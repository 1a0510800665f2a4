/** Removes what runs left that have had their time, as the plan says: their objects, model and report. */
import { CURRENT, modelFolder, REPORT, runFolder } from '../../domain/lake-objects.ts';
import type { RunPlan } from '../../domain/run.ts';
import { runsInUse } from './runs-in-use.ts';
import type { World } from './world.ts';

/**
 * Can be done again. It never fails a run that has succeeded: what stays is found by the next plan, because the objects of the
 * run go last.
 */
export async function removeExpired(
  { lake, log }: Pick<World, 'lake' | 'log'>,
  { expiredRuns }: Pick<RunPlan, 'expiredRuns'>,
): Promise<void> {
  if (expiredRuns.length === 0) return;
  try {
    const inUse = await runsInUse(lake, (await lake.find(CURRENT))?.value);
    for (const runId of expiredRuns.filter((id) => !inUse.has(id))) {
      await lake.removeBelow(`${modelFolder(runId)}/`);
      await lake.remove(REPORT.of(runId));
      await lake.removeBelow(`${runFolder(runId)}/`);
    }
  } catch (error) {
    log.warn(`What expired runs left is not all removed; the next run goes on: ${error}`);
  }
}
