/** Whether the policies of a role allow what a call needs, by the rules of IAM, as far as this app's policies use them. */

/** A statement as IAM evaluates it. */
export interface Statement {
  /** For people: its Sid, or its first action. */
  readonly name: string;
  readonly effect: 'Allow' | 'Deny';
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Values by operator and key: `{ StringEquals: { 'aws:RequestedRegion': ['us-east-1'] } }`. */
  readonly conditions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/** One permission that a call needs. */
export interface Need {
  readonly action: string;
  readonly resource: string;
  /** Values of condition keys; the keys are compared without regard to case. */
  readonly context: Readonly<Record<string, readonly string[]>>;
}

export interface Decision {
  readonly isAllowed: boolean;
  /** Those that decided: the denying ones, or else the allowing ones. */
  readonly by: readonly Statement[];
}

/** An explicit denial wins; without any statement that allows it, a need is not allowed. */
export function decide(statements: readonly Statement[], need: Need): Decision {
  const matching = statements.filter((statement) => applies(statement, need));
  const denials = matching.filter(({ effect }) => effect === 'Deny');
  if (denials.length > 0) return { isAllowed: false, by: denials };
  return { isAllowed: matching.length > 0, by: matching };
}

function applies(statement: Statement, { action, resource, context }: Need): boolean {
  return (
    statement.actions.some((pattern) => matches(pattern.toLowerCase(), action.toLowerCase())) &&
    statement.resources.some((pattern) => matches(pattern, resource)) &&
    Object.entries(statement.conditions).every(([operator, keys]) =>
      Object.entries(keys).every(([key, wanted]) => holds(operator, wanted, valuesOf(context, key))),
    )
  );
}

/** IAM's wildcards: `*` is any text, `?` any character. */
export function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}

/** Operators that this app's policies use. */
const OPERATORS: Readonly<Record<string, (wanted: string, value: string) => boolean>> = {
  StringEquals: (wanted, value) => wanted === value,
  StringLike: matches,
  ArnEquals: matches,
  ArnLike: matches,
  Bool: (wanted, value) => wanted.toLowerCase() === value.toLowerCase(),
};

/** A key that the request does not have makes a condition fail. */
function holds(operator: string, wanted: readonly string[], values: readonly string[]): boolean {
  const compare = OPERATORS[operator];
  if (compare === undefined) {
    throw new Error(
      `the judge does not know the operator ${operator}: add it to test/cluster/judge/policy.ts`,
    );
  }
  return values.some((value) => wanted.some((each) => compare(each, value)));
}

function valuesOf(context: Need['context'], key: string): readonly string[] {
  const wanted = key.toLowerCase();
  return Object.entries(context).find(([name]) => name.toLowerCase() === wanted)?.[1] ?? [];
}
