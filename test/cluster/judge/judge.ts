/** Compares what was called with what the roles may do. */
import { type AwsCall, callText } from './call.ts';
import { type JudgedWorld, needsOf } from './needs.ts';
import { decide, type Statement } from './policy.ts';
import type { RolePolicies } from './statements.ts';

export interface Verdict {
  /** One line for each need that a policy does not allow; the same need is listed once. */
  readonly denials: readonly string[];
  /** Statements without which a call would have been denied, or that allowed one beside another. By role. */
  readonly needed: ReadonlyMap<string, ReadonlySet<Statement>>;
  readonly calls: number;
}

export function judge(calls: readonly AwsCall[], policies: RolePolicies, world: JudgedWorld): Verdict {
  const denials = new Map<string, string>();
  const needed = new Map<string, Set<Statement>>();
  for (const call of calls) {
    for (const need of needsOf(call, world)) {
      const { isAllowed, by } = decide(policies.get(call.role) ?? [], need);
      if (!isAllowed) {
        const reason = by.length === 0 ? 'no statement allows it' : `${by.map(({ name }) => name)} denies it`;
        const text = `${call.role} needs ${need.action} on ${need.resource}: ${reason}`;
        if (!denials.has(text)) denials.set(text, `${text} (${callText(call)})`);
        continue;
      }
      const statements = needed.get(call.role) ?? new Set();
      for (const statement of by) statements.add(statement);
      needed.set(call.role, statements);
    }
  }
  return { denials: [...denials.values()], needed, calls: calls.length };
}

/** A statement that no call needs, and why the app has it. */
export interface Unneeded {
  /** Part of the role's name. */
  readonly role: string;
  /** How the statement's name begins; undefined for all statements of the role. */
  readonly statement?: string;
  readonly reason: string;
}

/** Differences between the statements that no call needed and the list of those that none is expected to need. */
export interface UnneededDifference {
  /** No call needed them, and no reason is listed. */
  readonly withoutReason: readonly string[];
  /** Listed, but needed, or not there. */
  readonly outdated: readonly string[];
}

export function compareUnneeded(
  verdict: Pick<Verdict, 'needed'>,
  policies: RolePolicies,
  listed: readonly Unneeded[],
): UnneededDifference {
  const unneeded = [...policies].flatMap(([role, statements]) =>
    statements
      .filter((statement) => verdict.needed.get(role)?.has(statement) !== true)
      .map(({ name }) => ({ role, name })),
  );
  const covers = (
    entry: Unneeded,
    { role, name }: { readonly role: string; readonly name: string },
  ): boolean =>
    role.includes(entry.role) && (entry.statement === undefined || name.startsWith(entry.statement));
  return {
    withoutReason: unneeded
      .filter((each) => !listed.some((entry) => covers(entry, each)))
      .map(({ role, name }) => `${role}: ${name}`),
    outdated: listed
      .filter((entry) => !unneeded.some((each) => covers(entry, each)))
      .map(({ role, statement }) => `${role}: ${statement ?? 'all statements'}`),
  };
}
