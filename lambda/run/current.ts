/** What is current, and whether it still is what a run was planned with. */
import { CURRENT } from '../../domain/lake-objects.ts';
import type { Current } from '../../domain/records.ts';
import type { RunPlan } from '../../domain/run.ts';
import { PipelineError } from './errors.ts';
import type { Lake, Stored } from './lake.ts';

type Planned = Pick<RunPlan, 'runId' | 'currentTag'>;

/**
 * What is current, as the run was planned with it, or as the run itself has left it.
 * @throws ChampionChanged when anything else has changed it since the run was planned
 */
export async function requireUnchanged(lake: Lake, plan: Planned): Promise<Stored<Current> | undefined> {
  const current = await lake.find(CURRENT);
  if (current?.value.runId === plan.runId || (current?.etag ?? null) === plan.currentTag) return current;
  throw championChanged(lake, plan);
}

export function championChanged(lake: Lake, { runId }: Pick<Planned, 'runId'>): PipelineError {
  return new PipelineError(
    'ChampionChanged',
    `${lake.uri(CURRENT)} has changed since run ${runId} was planned: another model may be in charge than the one that ` +
      'the new one was compared with. Start a new run.',
  );
}
