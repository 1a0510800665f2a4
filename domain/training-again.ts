/** What it takes to train the model of a run again, on a cluster like the run's. Pure functions. */
import { unitUsdPerHourCeiling } from './cost.ts';
import { runFolder } from './lake-objects.ts';
import type { RunDetail } from './records.ts';
import { VERIFYING_STATES } from './states.ts';

export interface TrainingAgain {
  /** Of the cluster, the primary included. */
  readonly instances: number;
  /** With the start and the end of the cluster. */
  readonly minutes: number;
  /** At list prices on demand: spot instances cost less. */
  readonly usd: number;
  /** Whether the minutes are those of the run; else they are the estimate of all its states. */
  readonly isMeasured: boolean;
}

export function trainingAgain({ plan, states = [] }: Pick<RunDetail, 'plan' | 'states'>): TrainingAgain {
  const { cluster, executionArn, runId, outputs } = plan;
  // A resumed run may have found the model trained.
  const hasTrained = outputs.results['train-models'].includes(`/${runFolder(runId)}/`);
  const seconds = VERIFYING_STATES.map((name) => states.find((state) => state.name === name)?.seconds);
  const known = seconds.filter((one) => one !== undefined);
  const isMeasured = hasTrained && known.length === seconds.length;
  const minutes = isMeasured
    ? Math.ceil(known.reduce((sum, one) => sum + one, 0) / 60)
    : cluster.estimatedMinutes;
  const instances = cluster.executors + 1;
  const [, , , region = ''] = executionArn.split(':');
  const usd = Math.ceil((instances * minutes * unitUsdPerHourCeiling(region) * 100) / 60) / 100;
  return { instances, minutes, usd, isMeasured };
}
