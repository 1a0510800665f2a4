/**
 * Refuses, before anything starts, definitions that the interpreter cannot run or would run while silently skipping
 * something: otherwise a local run could succeed although the same definition behaves differently in AWS.
 */
import { UserError } from '../../domain/user-error.ts';
import { allStates, type Machine, type NamedState, resourceKind } from './state-language.ts';

/** Fields that the interpreter ignores: those of JSONata and of variables, and `HeartbeatSeconds`. */
const IGNORED_FIELDS = [
  'Assign',
  'Arguments',
  'Output',
  'Items',
  'Credentials',
  'HeartbeatSeconds',
  'HeartbeatSecondsPath',
];
/** The parts of the context object that the local run supplies. */
const SUPPLIED_CONTEXT = [
  '$$.Execution.Id',
  '$$.Execution.Name',
  '$$.Execution.StartTime',
  '$$.Execution.Input',
  '$$.StateMachine.Id',
  '$$.StateMachine.Name',
];
/** Inside a branch the interpreter supplies the branch's start and input instead of the execution's. */
const WRONG_IN_BRANCHES = ['$$.Execution.StartTime', '$$.Execution.Input'];
/** Node's timers overflow above this and fire at once. */
const MAX_TIMEOUT_SECONDS = 2_147_483;

/** The definition uses something that the local run does not support. */
export class UnsupportedDefinitionError extends UserError {
  override readonly name = 'UnsupportedDefinitionError';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(
      `The state machine cannot run on this machine:\n${problems.map((problem) => `  - ${problem}`).join('\n')}\n` +
        'Change the definition in lib/pipeline, or add support for it in local/. Nothing was started.',
    );
    this.problems = problems;
  }
}

/** Throws UnsupportedDefinitionError with every problem at once. `kinds`: the resources that have a handler. */
export function assertSupported(machine: Machine, kinds: readonly string[]): void {
  const problems = [
    ...(usesJsonata(machine) ? ['it is written in JSONata; the interpreter supports only JSONPath'] : []),
    ...allStates(machine).flatMap((named) => problemsOf(named, kinds)),
  ];
  if ((machine.TimeoutSeconds ?? 0) > MAX_TIMEOUT_SECONDS) {
    problems.push(`its TimeoutSeconds exceeds ${MAX_TIMEOUT_SECONDS}`);
  }
  if (problems.length > 0) throw new UnsupportedDefinitionError(problems);
}

function problemsOf({ name, state, inBranch }: NamedState, kinds: readonly string[]): readonly string[] {
  const problems: string[] = [];
  if (state.QueryLanguage === 'JSONata') problems.push(`state ${name} is written in JSONata`);
  for (const field of IGNORED_FIELDS) {
    if (field in state) problems.push(`state ${name} uses ${field}, which the interpreter ignores`);
  }
  if (state.Type === 'Map') problems.push(`state ${name} is a Map state, which has no local counterpart`);
  if (state.Type === 'Task') {
    const kind = resourceKind(state.Resource ?? '');
    if (!kinds.includes(kind)) {
      problems.push(
        `state ${name} calls ${state.Resource}, which has no handler (handlers exist for ${kinds.join(', ')})`,
      );
    }
    if (state.TimeoutSeconds === undefined && state.TimeoutSecondsPath === undefined) {
      problems.push(`state ${name} has no TimeoutSeconds, and the interpreter would time it out after 60 s`);
    }
  }
  if ((state.TimeoutSeconds ?? 0) > MAX_TIMEOUT_SECONDS) {
    problems.push(`state ${name} has a TimeoutSeconds above ${MAX_TIMEOUT_SECONDS}`);
  }
  // The states of branches are checked separately.
  const { Branches: _branches, ...own } = state;
  for (const path of contextPaths(own)) {
    if (!SUPPLIED_CONTEXT.some((known) => path === known || path.startsWith(`${known}.`))) {
      problems.push(`state ${name} reads ${path}, which the local run does not supply`);
    } else if (inBranch && WRONG_IN_BRANCHES.some((known) => path.startsWith(known))) {
      problems.push(
        `state ${name} reads ${path} inside a branch, where the interpreter supplies the branch's own`,
      );
    }
  }
  return problems;
}

function usesJsonata(machine: Machine): boolean {
  return (
    machine.QueryLanguage === 'JSONata' ||
    allStates(machine).some(({ state }) => state.Branches?.some(usesJsonata) ?? false)
  );
}

/** All paths into the context object in a value, including those in intrinsic functions. */
function contextPaths(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.match(/\$\$(\.[A-Za-z]+)*/g) ?? [];
  if (value === null || typeof value !== 'object') return [];
  return Object.values(value).flatMap(contextPaths);
}
