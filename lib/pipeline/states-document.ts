/**
 * docs/states.md and the picture in README.md: the states of a run, made from domain/states.ts and from the definition
 * that would be deployed, so that no arrow can be missing. Pure functions.
 */
import { isStateName, STATE_NAMES, STATES, type StateDefinition } from '../../domain/states.ts';

/** A state machine in Amazon States Language, as far as the picture shows it. */
export interface PicturedMachine {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, PicturedState>>;
}

export interface PicturedState {
  readonly Type: string;
  readonly TimeoutSeconds?: number | undefined;
  readonly Next?: string | undefined;
  readonly End?: boolean | undefined;
  readonly Default?: string | undefined;
  readonly Choices?:
    | readonly { readonly Next: string; readonly StringEquals?: string | undefined }[]
    | undefined;
  readonly Catch?: readonly { readonly ErrorEquals: readonly string[]; readonly Next: string }[] | undefined;
  readonly Branches?: readonly PicturedMachine[] | undefined;
}

const SECTION = { begin: '<!-- states: generated -->', end: '<!-- /states -->' } as const;

/**
 * The whole of docs/states.md.
 * @param machine the definition of the pipeline's state machine, with the default configuration
 * @throws when the definition and domain/states.ts do not have the same states
 */
export function statesDocument(machine: PicturedMachine): string {
  return `# The states of a run

This page is generated from \`domain/states.ts\` and from the state machine that \`lib/pipeline/pipeline.ts\` defines: change
those, not this page. Dotted arrows are errors that are caught. Time-outs are those of the default configuration, for
one try of the state.

${picture(machine)}

${table(machine)}
`;
}

/**
 * A document with the picture of the states in its marked section.
 * @throws when the document has no such section
 */
export function withPicture(document: string, machine: PicturedMachine): string {
  const begin = document.indexOf(SECTION.begin);
  const end = document.indexOf(SECTION.end);
  if (begin === -1 || end < begin) {
    throw new Error(`the document has no section from ${SECTION.begin} to ${SECTION.end}`);
  }
  const before = document.slice(0, begin + SECTION.begin.length);
  return `${before}\n${picture(machine)}\n${document.slice(end)}`;
}

/** A Mermaid flowchart in its fence: every transition of the definition, and nothing else. */
export function picture(machine: PicturedMachine): string {
  const lines = [
    `start([schedule, console or command line]) --> ${machine.StartAt}`,
    ...statesOf(machine),
    ...Object.entries(machine.States)
      .filter(([, { End }]) => End === true)
      .map(([name]) => `${name} --> done([the run has succeeded])`),
  ];
  return ['```mermaid', 'flowchart TD', ...lines.map((line) => `  ${line}`), '```'].join('\n');
}

function statesOf({ States: states }: PicturedMachine): readonly string[] {
  return Object.entries(states).flatMap(([name, state]) => [
    ...nodeOf(name, state),
    ...transitionsOf(state).map(({ arrow, next }) => `${name} ${arrow} ${next}`),
  ]);
}

/** The shape of a state, where it is not that of a task. */
function nodeOf(name: string, { Type: type, Branches: branches = [] }: PicturedState): readonly string[] {
  switch (type) {
    case 'Choice':
      return [`${name}{${name}}`];
    case 'Succeed':
    case 'Fail':
      return [`${name}([${name}])`];
    case 'Parallel':
      return [`subgraph ${name}`, ...branches.flatMap(statesOf).map((line) => `  ${line}`), 'end'];
    default:
      return [];
  }
}

function transitionsOf(state: PicturedState): readonly { readonly arrow: string; readonly next: string }[] {
  const { Choices: choices = [], Catch: catches = [], Default: otherwise, Next: next } = state;
  return [
    ...choices.map(({ Next, StringEquals = 'condition' }) => ({ arrow: `-->|${StringEquals}|`, next: Next })),
    ...(otherwise === undefined ? [] : [{ arrow: '-->|otherwise|', next: otherwise }]),
    ...(next === undefined ? [] : [{ arrow: '-->', next }]),
    ...catches.map(({ ErrorEquals, Next }) => ({ arrow: `-.->|${errorsText(ErrorEquals)}|`, next: Next })),
  ];
}

/** `any failure`, or the names of the errors without their service; AWS has two spellings of some. */
function errorsText(errors: readonly string[]): string {
  if (errors.includes('States.ALL')) return 'any failure';
  const names = errors.map((error) => error.replace(/^.*\./, '').replace(/Exception$/, ''));
  return [...new Set(names)].join(', ');
}

function table(machine: PicturedMachine): string {
  const pictured = new Map(allStates(machine));
  const unknown = [...pictured.keys()].filter((name) => !isStateName(name));
  if (unknown.length > 0) throw new Error(`domain/states.ts does not have ${unknown.join(', ')}`);
  const rows = STATE_NAMES.map((name) => {
    const state = pictured.get(name);
    if (state === undefined) throw new Error(`the definition does not have ${name} of domain/states.ts`);
    return [name, runnerOf(STATES[name]), timeoutText(state), STATES[name].does];
  });
  const head = ['state', 'what runs it', 'time-out', 'what it does'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function allStates({ States: states }: PicturedMachine): readonly [string, PicturedState][] {
  return Object.entries(states).flatMap(([name, state]): [string, PicturedState][] => [
    [name, state],
    ...(state.Branches ?? []).flatMap(allStates),
  ]);
}

function runnerOf(state: StateDefinition): string {
  switch (state.kind) {
    case 'lambda':
      return `Lambda \`${state.functionName}\``;
    case 'step':
      return `Spark step \`${state.stepName}\` on EMR`;
    case 'create cluster':
    case 'terminate cluster':
      return 'EMR';
    case 'query':
      return 'Athena';
    default:
      return 'Step Functions';
  }
}

function timeoutText({ TimeoutSeconds: seconds }: PicturedState): string {
  return seconds === undefined ? '' : `${seconds / 60} min`;
}
