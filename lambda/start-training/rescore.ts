/** A run that only scores goes on from the current run, where nothing has changed its features since. */
import { PLAN } from '../../domain/lake-objects.ts';
import type { Current } from '../../domain/records.ts';
import type { RunPlan } from '../../domain/run.ts';
import type { Deployment } from '../run/deployment.ts';
import type { Lake } from '../run/lake.ts';
import { recordsSince } from './resume.ts';

/**
 * The plan of the current run, from which another can score; undefined where all steps have to run: its plan is gone or is
 * of another release, or a later run may have replaced its features.
 */
export async function findRescorable(
  lake: Lake,
  { runId }: Pick<Current, 'runId'>,
  { release, database }: Pick<Deployment, 'release' | 'database'>,
): Promise<RunPlan | undefined> {
  const plan = await lake.find(PLAN.of(runId));
  if (plan?.value.release !== release || plan.value.database !== database) return undefined;
  const later = await recordsSince(lake, plan.value.plannedAt);
  const isOvertaken = later.some((record) => record.run_id !== runId && record.batch_id !== null);
  return isOvertaken ? undefined : plan.value;
}
