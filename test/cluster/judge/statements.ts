/** The policies of every role of the synthesized app, as statements that can be evaluated. */
import { z } from 'zod';
import { resolve, resolveText } from '../../../local/template/intrinsics.ts';
import type { Json, StackTemplate } from '../../../local/template/template.ts';
import type { Statement } from './policy.ts';

/** Statements by the name of their role. */
export type RolePolicies = ReadonlyMap<string, readonly Statement[]>;

const texts = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? [value] : value));
const conditionValues = z
  .union([z.string(), z.boolean(), z.number(), z.array(z.string())])
  .transform((value) => (Array.isArray(value) ? value : [String(value)]));
/** Strict: a NotAction or a NotResource that the judge ignored would allow too much. */
const statementSchema = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: texts,
  Resource: texts,
  Condition: z.record(z.string(), z.record(z.string(), conditionValues)).default({}),
});
const documentSchema = z.looseObject({ Statement: z.array(statementSchema) });
const inlineSchema = z.array(z.looseObject({ PolicyDocument: z.json() }));

/** A policy document without CloudFormation's functions. */
export function statementsOf(document: Json): readonly Statement[] {
  return documentSchema.parse(document).Statement.map((statement) => ({
    name: statement.Sid ?? `${statement.Action[0]} on ${statement.Resource[0]}`,
    effect: statement.Effect,
    actions: statement.Action,
    resources: statement.Resource,
    conditions: statement.Condition,
  }));
}

/** The policies that the templates attach to roles. Policies of AWS itself are not in a template. */
export function rolePolicies(stacks: readonly StackTemplate[]): RolePolicies {
  const policies = new Map<string, Statement[]>();
  const add = (role: string, document: Json, stack: StackTemplate): void => {
    policies.set(role, [...(policies.get(role) ?? []), ...statementsOf(resolve(document, stack, stacks))]);
  };
  for (const stack of stacks) {
    for (const [logicalId, { Type: type, Properties: properties }] of Object.entries(
      stack.template.Resources,
    )) {
      if (type === 'AWS::IAM::Role') {
        const role = resolveText({ Ref: logicalId }, stack, stacks);
        if (!policies.has(role)) policies.set(role, []);
        for (const { PolicyDocument: document } of inlineSchema.parse(properties.Policies ?? [])) {
          add(role, document, stack);
        }
      } else if (type === 'AWS::IAM::Policy') {
        for (const role of z.array(z.json()).parse(properties.Roles ?? [])) {
          add(resolveText(role, stack, stacks), properties.PolicyDocument ?? null, stack);
        }
      }
    }
  }
  return policies;
}
