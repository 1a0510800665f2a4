/**
 * The states of a run, each defined once: what runs it, what it does, how long it may take. The names of the Lambdas and
 * of the Spark steps, the comments and time-outs of the state machine, the explanation of failures and docs/states.md are
 * derived from here. How the states follow one another is in lib/pipeline/pipeline.ts.
 */

interface Described {
  /** What the state does, in one sentence without a full stop. */
  readonly does: string;
}

interface Task extends Described {
  /** How long one try may take. */
  readonly minutes: number;
}

export type StateDefinition =
  | (Task & {
      readonly kind: 'lambda';
      /** Name of the Lambda, and of its folder in lambda/. */
      readonly functionName: string;
      /** What it leaves in the lake when it succeeds, where a failure is located by that. */
      readonly leaves?: 'plan' | 'training decision' | 'choice' | 'record';
    })
  /** Its `minutes` do not include the time in which EMR looks for spot instances. */
  | (Task & { readonly kind: 'create cluster' })
  | (Task & {
      readonly kind: 'step';
      /** Name of the Spark step: of its script, its result and its error file. */
      readonly stepName: string;
    })
  | (Task & { readonly kind: 'terminate cluster' | 'query' | 'notifier' })
  | (Described & { readonly kind: 'choice' | 'parallel' | 'succeed' | 'fail' });

/** More than a Lambda's own time-out, so that the error the run fails with is the Lambda's own. */
const LAMBDA_STATE_MINUTES = 12;

/** Every state. Tasks are in the order in which a run takes them, with CloseRun after those of a run that succeeds. */
export const STATES = {
  PlanRun: {
    kind: 'lambda',
    functionName: 'start-training',
    does: 'Checks the request and that EC2 offers the instance types, takes the lease, lists new event files, sizes the cluster, estimates the cost and writes the plan',
    minutes: LAMBDA_STATE_MINUTES,
    leaves: 'plan',
  },
  AnythingToDo: {
    kind: 'choice',
    does: 'Branches on what PlanRun decided',
  },
  NothingToDo: {
    kind: 'succeed',
    does: 'There is no new event file, and the last batch belongs to a run that succeeded',
  },
  Refused: {
    kind: 'fail',
    does: 'Another run is in progress, so this one does nothing',
  },
  UseCluster: {
    kind: 'parallel',
    does: 'Holds the states that need the cluster, so that one Catch serves them all',
  },
  CreateCluster: {
    kind: 'create cluster',
    does: 'Starts a cluster for this run, as large as the plan says',
    // Launching the primary instance, and installing.
    minutes: 30,
  },
  VerifyOrIngest: {
    kind: 'choice',
    does: 'Branches on whether the run only trains a stored model again, to verify it',
  },
  IngestEvents: {
    kind: 'step',
    stepName: 'ingest-events',
    does: 'Turns raw JSON into events, user_days and page_days, quarantines refused rows, and enters the batch in the ledger',
    minutes: 240,
  },
  BuildFeatures: {
    kind: 'step',
    stepName: 'build-features',
    does: 'Turns user_days into one row per user and cutoff, from what was known at the cutoff: for the scoring cutoff, and for those of the past that are new or have changed',
    minutes: 60,
  },
  DecideTraining: {
    kind: 'lambda',
    functionName: 'decide-training',
    does: 'Decides whether there is something to learn that the last training did not have, and writes down why',
    minutes: LAMBDA_STATE_MINUTES,
    leaves: 'training decision',
  },
  TrainOrNot: {
    kind: 'choice',
    does: 'Branches on what DecideTraining decided',
  },
  TrainModels: {
    kind: 'step',
    stepName: 'train-models',
    does: 'Fits and calibrates the candidates and two baselines, evaluates them and the champion on one later cutoff, and stores the best candidate',
    minutes: 180,
  },
  VerifyOrChoose: {
    kind: 'choice',
    does: 'Branches on the same: a run that verifies a model chooses none and scores nobody',
  },
  ChooseModel: {
    kind: 'lambda',
    functionName: 'choose-model',
    does: "Decides whether the run's new model, if there is one, or the champion scores and is in charge, by how both did on the same test rows, and writes down why",
    minutes: LAMBDA_STATE_MINUTES,
    leaves: 'choice',
  },
  ScoreUsers: {
    kind: 'step',
    stepName: 'score-users',
    does: 'Gives every living user a probability, a rank and reasons, and measures how far these users have drifted from the test users',
    minutes: 60,
  },
  TerminateCluster: {
    kind: 'terminate cluster',
    does: 'Terminates the cluster and waits until it is gone',
    minutes: 30,
  },
  VerifyOrReconcile: {
    kind: 'choice',
    does: 'Branches on the same: a run that verifies a model has changed nothing of the lake',
  },
  TrainedAgain: {
    kind: 'succeed',
    does: 'The model was trained again; the command that asked for this compares it with the stored one',
  },
  ReconcileLake: {
    kind: 'query',
    does: 'Counts the rows of this batch and this run in the tables, independently of Spark',
    minutes: 30,
  },
  StoreMetrics: {
    kind: 'lambda',
    functionName: 'store-metrics',
    does: 'Compares that count with what the steps counted; if they agree, makes metrics, scores and the chosen model current, and releases the lease',
    minutes: LAMBDA_STATE_MINUTES,
    leaves: 'record',
  },
  RenderReport: {
    kind: 'lambda',
    functionName: 'render-report',
    does: 'Writes the report, one self-contained HTML page',
    minutes: LAMBDA_STATE_MINUTES,
  },
  NotifySuccess: {
    kind: 'notifier',
    does: 'Starts the notifier, which sends the subscribers the summary of the run and the link to its report',
    minutes: 2,
  },
  ToldBefore: {
    kind: 'succeed',
    does: 'An earlier try of NotifySuccess has notified the subscribers already',
  },
  CloseRun: {
    kind: 'lambda',
    functionName: 'close-run',
    does: "After any failure, even one that no state can catch: terminates the run's clusters, explains the failure, writes the run record, releases the lease and notifies the subscribers",
    minutes: LAMBDA_STATE_MINUTES,
  },
  Failed: {
    kind: 'fail',
    does: 'Fails the execution with the error and the explanation of CloseRun, or with the original error where CloseRun failed too',
  },
} as const satisfies Readonly<Record<string, StateDefinition>>;

export type StateName = keyof typeof STATES;

type OfKind<Kind extends StateDefinition['kind']> = {
  [Name in StateName]: (typeof STATES)[Name]['kind'] extends Kind ? Name : never;
}[StateName];

/** The tasks of a run that only trains a stored model again, in their order. */
export const VERIFYING_STATES: readonly StateName[] = [
  'PlanRun',
  'CreateCluster',
  'TrainModels',
  'TerminateCluster',
];

/** A state that calls a Lambda. */
export type LambdaStateName = OfKind<'lambda'>;
/** A state that runs a Spark step; the EMR step carries the state's name. */
export type StepStateName = OfKind<'step'>;
/** A state that does work, and so has a time-out. */
export type TaskStateName = Exclude<StateName, OfKind<'choice' | 'parallel' | 'succeed' | 'fail'>>;

type StepName = (typeof STATES)[StepStateName]['stepName'];
type FunctionName = (typeof STATES)[LambdaStateName]['functionName'];

export const STATE_NAMES: readonly StateName[] = Object.keys(STATES).filter(isStateName);
export const LAMBDA_STATES: readonly LambdaStateName[] = STATE_NAMES.filter(isLambdaState);
/** In the order in which a run takes them. */
export const STEP_STATES: readonly StepStateName[] = STATE_NAMES.filter(isStepState);
/** In the order in which a run takes them. */
export const TASK_STATES: readonly TaskStateName[] = STATE_NAMES.filter(isTaskState);

export function isStateName(name: string): name is StateName {
  return Object.hasOwn(STATES, name);
}

function isLambdaState(name: StateName): name is LambdaStateName {
  return STATES[name].kind === 'lambda';
}

function isStepState(name: StateName): name is StepStateName {
  return STATES[name].kind === 'step';
}

function isTaskState(name: StateName): name is TaskStateName {
  return 'minutes' in STATES[name];
}

/** Name of the Spark step that a state runs; undefined for any other name. */
export function stepOfState(name: string): StepName | undefined {
  return isStateName(name) && isStepState(name) ? STATES[name].stepName : undefined;
}

/** The state that runs a Spark step. */
export function stateOfStep(stepName: StepName): StepStateName {
  const name = STEP_STATES.find((state) => STATES[state].stepName === stepName);
  if (name === undefined) throw new Error(`no state runs the step ${stepName}`);
  return name;
}

/** The state that calls a Lambda. */
export function stateOfFunction(functionName: FunctionName): LambdaStateName {
  const name = LAMBDA_STATES.find((state) => STATES[state].functionName === functionName);
  if (name === undefined) throw new Error(`no state calls the Lambda ${functionName}`);
  return name;
}
