/** Which state failed, why, and what to do: from the most specific evidence there is. Pure functions. */
import { ERROR_NAMES, type ErrorName } from '../../domain/operations.ts';
import {
  STATES,
  type StateName,
  stateOfStep,
  TASK_STATES,
  type TaskStateName,
  VERIFYING_STATES,
} from '../../domain/states.ts';
import { readableCause } from './causes.ts';
import type { Evidence } from './evidence.ts';
import { knownCause } from './known-causes.ts';

export interface Explanation {
  /** The state that failed; several, joined by "or", where the evidence does not say which. */
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

/** The errors that Lambdas throw on purpose; `where` names the state that throws it, where only one can. */
const OWN_ERRORS: Readonly<Record<ErrorName, { readonly where?: StateName; readonly whatToDo: string }>> = {
  InvalidRequest: { where: 'PlanRun', whatToDo: 'fix the request and start again' },
  InvalidConfiguration: { whatToDo: 'fix the configuration, deploy, and start again' },
  NoEventFiles: { where: 'PlanRun', whatToDo: 'deliver the log, or name the right place, and start again' },
  AccountNotReady: {
    where: 'PlanRun',
    whatToDo: 'do what the message says (`churn doctor --stage …` shows all checks), and start again',
  },
  OverBudget: { where: 'PlanRun', whatToDo: 'raise the budget or deliver less at once, and start again' },
  CannotResume: { where: 'PlanRun', whatToDo: 'start a new run' },
  CannotVerify: { where: 'PlanRun', whatToDo: 'do what the message says, or verify another run' },
  InvalidResult: { whatToDo: `fix or remove the object that the message names, then ${RESUME}` },
  ReconciliationFailed: {
    where: 'StoreMetrics',
    whatToDo: 'find out which of the two counts is right before anything else; nothing of the run is current',
  },
  // DecideTraining, ChooseModel and StoreMetrics all make sure that they still may go on.
  LeaseLost: { whatToDo: RESUME },
  ChampionChanged: { whatToDo: 'start a new run, which is compared with the model that is in charge now' },
  RunClosed: { where: 'StoreMetrics', whatToDo: RESUME },
};

const ENDINGS: Readonly<Record<string, { readonly why: string; readonly whatToDo: string }>> = {
  'Execution.ABORTED': {
    why: 'the execution was stopped by hand',
    whatToDo: `if that was not intended, ${RESUME}`,
  },
  'Execution.TIMED_OUT': {
    why: 'the execution took longer than a run may take',
    whatToDo: `look at the cluster's logs for what hangs, then ${RESUME}`,
  },
  'Execution.FAILED': {
    why: 'the execution failed in a way that no state could catch',
    whatToDo: `look at the execution in the console, then ${RESUME}`,
  },
  ClusterLeftRunning: {
    why: 'the run has ended and its cluster had not; the cluster is being terminated',
    whatToDo: `look up in the console how the execution ended, then ${RESUME}`,
  },
  LeaseLeftTaken: {
    why: 'the run has ended without releasing the lease; it is released now',
    whatToDo: `look up in the console how the execution ended, then ${RESUME}`,
  },
  'States.Timeout': {
    why: 'it took longer than it may take',
    whatToDo: `look at the cluster's logs for what hangs, or raise the cluster's size; then ${RESUME}`,
  },
};

/** The Lambdas' own errors say most; then a step's own error, EMR's, and last what was caught. */
export function explain(evidence: Evidence, caught: Caught): Explanation {
  return (
    byOwnError(evidence, caught) ??
    byStep(evidence) ??
    byCluster(evidence, caught) ??
    byEnding(evidence, caught)
  );
}

/**
 * The state that a run was in when it ended: the first one that leaves something behind and has not. The states just
 * before it that leave nothing may have failed as well, so they are named too.
 */
function stateReached(evidence: Evidence): string {
  let possible: TaskStateName[] = [];
  const isSkipped = (state: TaskStateName): boolean =>
    evidence.plan?.verifies === undefined
      ? state === 'TrainModels' && evidence.training === 'skip'
      : !VERIFYING_STATES.includes(state);
  for (const state of TASK_STATES.filter((name) => !isSkipped(name))) {
    possible.push(state);
    const traces = tracesOf(state, evidence);
    if (traces === 'missing') return joined(possible);
    if (traces === 'found') possible = [];
  }
  return joined(possible);
}

/** Whether what a state leaves behind when it succeeds was found. */
function tracesOf(
  name: TaskStateName,
  { plan, clusters, finished, training, hasChoice }: Evidence,
): 'found' | 'missing' | 'leaves none' {
  const state: (typeof STATES)[TaskStateName] = STATES[name];
  const isThere = (found: boolean): 'found' | 'missing' => (found ? 'found' : 'missing');
  switch (state.kind) {
    case 'lambda':
      if (!('leaves' in state)) return 'leaves none';
      // A run with a record has succeeded, and is not looked at here.
      return isThere(
        (state.leaves === 'plan' && plan !== undefined) ||
          (state.leaves === 'training decision' && training !== undefined) ||
          (state.leaves === 'choice' && hasChoice),
      );
    case 'create cluster':
      return isThere(clusters.length > 0 || finished.length > 0);
    case 'step':
      return isThere(finished.includes(state.stepName));
    default:
      return 'leaves none';
  }
}

/** `A`, `A or B`, `A, B or C`. */
function joined(names: readonly string[]): string {
  return [names.slice(0, -1).join(', '), ...names.slice(-1)].filter((part) => part !== '').join(' or ');
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
    where: stateOfStep(error.step),
    error: error.errorClass,
    why: `${error.message}\nLikely cause: ${error.likelyCause}`,
    whatToDo: error.whatToDo,
  };
}

function byCluster(evidence: Evidence, { error, cause }: Caught): Explanation | undefined {
  const finished: readonly string[] = evidence.finished.map(stateOfStep);
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
    ...explained(
      `cluster ${broken.clusterId} ended with errors: ${reason}`,
      'fix what the reason names (capacity, quota, network, roles)',
    ),
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
    ...explained(`${error}: ${why}`, 'look at the execution in the console'),
  };
}

/** What AWS says, with what is behind it where that is known. */
function explained(message: string, whatToDo: string): Pick<Explanation, 'why' | 'whatToDo'> {
  const known = knownCause(message);
  return known === undefined
    ? { why: message, whatToDo: `${whatToDo}, then ${RESUME}` }
    : { why: `${message}\n${known.why}`, whatToDo: `${known.whatToDo}; then ${RESUME}` };
}
