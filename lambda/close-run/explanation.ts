/** Which step failed, why, and what to do: from the most informative evidence there is. Pure functions. */
import { ERROR_NAMES, type ErrorName } from '../../domain/operations.ts';
import { STEP_NAMES } from '../../domain/run.ts';
import { readableCause } from './causes.ts';
import type { Evidence } from './evidence.ts';

export interface Explanation {
  /** State of the run, as the console names it. */
  readonly where: string;
  /** Name of the error. */
  readonly error: string;
  readonly why: string;
  readonly whatToDo: string;
}

/** What the caller caught. */
export interface Caught {
  readonly error: string | undefined;
  readonly cause: string | undefined;
}

const RESUME = 'resume the run ({"resume": "<run id>"}): steps that succeeded are skipped';

const OWN_ERRORS: Readonly<Record<ErrorName, { readonly where?: string; readonly whatToDo: string }>> = {
  InvalidRequest: { where: 'PlanRun', whatToDo: 'correct the request and start again' },
  InvalidConfiguration: { whatToDo: 'correct the configuration, deploy, and start again' },
  NoEventFiles: { where: 'PlanRun', whatToDo: 'deliver the log, or name its location, and start again' },
  OverBudget: { where: 'PlanRun', whatToDo: 'raise the budget or deliver less at once, and start again' },
  CannotResume: { where: 'PlanRun', whatToDo: 'start a new run' },
  InvalidResult: { whatToDo: `repair or remove the object that the message names, then ${RESUME}` },
  ReconciliationFailed: {
    where: 'StoreMetrics',
    whatToDo: 'first find out which of the two counts is right; nothing of the run is current',
  },
  LeaseLost: { where: 'StoreMetrics', whatToDo: RESUME },
  RunClosed: { where: 'StoreMetrics', whatToDo: RESUME },
};

const ENDINGS: Readonly<Record<string, { readonly why: string; readonly whatToDo: string }>> = {
  'Execution.ABORTED': {
    why: 'the execution was stopped by hand',
    whatToDo: `if that was not meant, ${RESUME}`,
  },
  'Execution.TIMED_OUT': {
    why: 'the execution took longer than a run is allowed to',
    whatToDo: `read the cluster's logs to find what hangs, then ${RESUME}`,
  },
  'Execution.FAILED': {
    why: 'the execution failed in a way that no state could catch',
    whatToDo: `look at the execution in the console, then ${RESUME}`,
  },
  ClusterLeftRunning: {
    why: 'the run had ended and its cluster was still alive; the cluster is being terminated',
    whatToDo: `look in the console how the execution ended, then ${RESUME}`,
  },
  LeaseLeftTaken: {
    why: 'the run has ended without releasing the lease; it is released now',
    whatToDo: `look in the console how the execution ended, then ${RESUME}`,
  },
  'States.Timeout': {
    why: 'it took longer than it is allowed to',
    whatToDo: `read the cluster's logs to find what hangs, or make the cluster larger; then ${RESUME}`,
  },
};

/** The Lambdas' own errors say most; then a step's own error, then EMR's, and last the error that was caught. */
export function explain(evidence: Evidence, caught: Caught): Explanation {
  return (
    byOwnError(evidence, caught) ??
    byStep(evidence) ??
    byCluster(evidence, caught) ??
    byEnding(evidence, caught)
  );
}

/** The state that a run was in, by what it has left. */
function stateReached({ plan, clusters, finished }: Evidence): string {
  if (plan === undefined) return 'PlanRun';
  if (clusters.length === 0 && finished.length === 0) return 'CreateCluster';
  const next = STEP_NAMES.find((step) => !finished.includes(step));
  return next === undefined ? 'TerminateCluster, ReconcileLake or StoreMetrics' : stateOf(next);
}

/** The explanation as one text. */
export function explanationText({ where, why, whatToDo }: Explanation): string {
  return `${where}: ${why}\nWhat to do: ${whatToDo}.`;
}

function byOwnError(evidence: Evidence, { error, cause }: Caught): Explanation | undefined {
  const name = ERROR_NAMES.find((own) => own === error);
  if (name === undefined) return undefined;
  const { where = stateReached(evidence), whatToDo } = OWN_ERRORS[name];
  return { where, error: name, why: readableCause(cause ?? name), whatToDo };
}

function byStep({ stepErrors }: Evidence): Explanation | undefined {
  const error = stepErrors.at(-1);
  if (error === undefined) return undefined;
  return {
    where: stateOf(error.step),
    error: error.errorClass,
    why: `${error.message}\nLikely cause: ${error.likelyCause}`,
    whatToDo: error.whatToDo,
  };
}

function byCluster(evidence: Evidence, { error, cause }: Caught): Explanation | undefined {
  const finished = evidence.finished.map(stateOf);
  for (const { clusterId, failedStep } of evidence.clusters) {
    if (failedStep === null || finished.includes(failedStep.name)) continue;
    const { name, reason, logUri } = failedStep;
    return {
      where: name,
      error: error ?? 'StepFailed',
      why: reason ?? `EMR gives no reason why its step failed on cluster ${clusterId}`,
      whatToDo: `${logUri === null ? "read the cluster's logs" : `read ${logUri}`}; then ${RESUME}`,
    };
  }
  const broken = evidence.clusters.find((cluster) => cluster.state === 'TERMINATED_WITH_ERRORS');
  if (broken === undefined) return undefined;
  const reason =
    broken.stateChangeReason ?? (cause === undefined ? 'EMR gives no reason' : readableCause(cause));
  return {
    where: stateReached(evidence),
    error: error ?? 'ClusterFailed',
    why: `cluster ${broken.clusterId} ended with errors: ${reason}`,
    whatToDo: `fix what the reason names (capacity, quota, network, roles), then ${RESUME}`,
  };
}

function byEnding(evidence: Evidence, { error = 'Unknown', cause }: Caught): Explanation {
  const ending = ENDINGS[error];
  const where = stateReached(evidence);
  if (ending !== undefined) return { where, error, ...ending };
  const why = cause === undefined || cause === '' ? `no cause was given for ${error}` : readableCause(cause);
  return {
    where,
    error,
    why: `${error}: ${why}`,
    whatToDo: `look at the execution in the console, then ${RESUME}`,
  };
}

/** `train-models` is run by TrainModels. */
function stateOf(step: string): string {
  return step.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}
