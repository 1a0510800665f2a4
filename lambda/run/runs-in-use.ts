/** The runs by whose model, scores or results something goes that is current: nothing of them may be removed. */
import { PLAN, runFolder } from '../../domain/lake-objects.ts';
import type { Current } from '../../domain/records.ts';
import type { RunPlan } from '../../domain/run.ts';
import type { Lake } from './lake.ts';

export async function runsInUse(lake: Lake, current: Current | undefined): Promise<ReadonlySet<string>> {
  if (current === undefined) return new Set();
  const { runId, champion, scoredUnder, lastTraining } = current;
  const plan = await lake.glimpse(PLAN.of(runId));
  const ids = [runId, champion?.runId, scoredUnder, lastTraining?.runId, ...(plan ? sources(plan) : [])];
  return new Set(ids.filter((id) => typeof id === 'string'));
}

/** The runs whose results a plan goes on from: it resumed one, or only scored. */
function sources({ outputs, lakeRoot }: RunPlan): readonly string[] {
  const folder = `${lakeRoot}/${runFolder('')}`;
  return Object.values(outputs.results).flatMap((uri) =>
    uri.startsWith(folder) ? [uri.slice(folder.length).replace(/\/.*$/, '')] : [],
  );
}
