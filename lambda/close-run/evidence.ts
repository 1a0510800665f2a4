/** What a run that ended badly left behind. Whatever cannot be read is passed over: explaining must not fail. */
import { KEYS } from '../../domain/lake.ts';
import {
  type IngestResult,
  ingestResultSchema,
  type StepError,
  stepErrorSchema,
} from '../../domain/results.ts';
import { type RunPlan, runPlanSchema, STEP_NAMES, type StepName } from '../../domain/run.ts';
import type { ClusterDescription, Ports } from '../ports/ports.ts';
import type { FunctionContext } from '../run/context.ts';
import { glimpseJson, lakeUri } from '../run/json-objects.ts';

export interface Evidence {
  readonly plan: RunPlan | undefined;
  readonly ingest: IngestResult | undefined;
  /** Steps whose results stand. */
  readonly finished: readonly StepName[];
  /** Errors of steps without a result, in the order of the steps. */
  readonly stepErrors: readonly StepError[];
  readonly clusters: readonly ClusterDescription[];
}

export async function gatherEvidence(
  runId: string,
  ports: Ports,
  context: FunctionContext,
): Promise<Evidence> {
  const plan = await glimpseJson(ports.objects, lakeUri(context.lakeRoot, KEYS.plan(runId)), runPlanSchema);
  const clusters = await ports.clusters.ofRun(runId);
  if (plan === undefined) {
    return { plan, ingest: undefined, finished: [], stepErrors: [], clusters };
  }
  const finished: StepName[] = [];
  const stepErrors: StepError[] = [];
  for (const step of STEP_NAMES) {
    if ((await ports.objects.read(plan.outputs.results[step])) !== undefined) {
      finished.push(step);
    } else {
      const error = await glimpseJson(ports.objects, plan.outputs.errors[step], stepErrorSchema);
      if (error !== undefined) stepErrors.push(error);
    }
  }
  const ingest = await glimpseJson(ports.objects, plan.outputs.results['ingest-events'], ingestResultSchema);
  return { plan, ingest, finished, stepErrors, clusters };
}
