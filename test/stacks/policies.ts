/** Statements of the roles in a template, as tests read them. */
import type { Template } from 'aws-cdk-lib/assertions';
import { z } from 'zod';

const oneOrMore = z.union([z.unknown().array(), z.unknown().transform((value) => [value])]);
const policySchema = z.looseObject({
  Properties: z.looseObject({
    PolicyDocument: z.looseObject({
      Statement: z.array(
        z.looseObject({
          Sid: z.string().optional(),
          Effect: z.string(),
          Action: oneOrMore,
          Resource: oneOrMore,
          Condition: z.unknown().optional(),
        }),
      ),
    }),
  }),
});

export interface Statement {
  readonly policy: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditioned: boolean;
}

/** Every statement that allows something, of every policy of a role. */
export function allStatements(template: Template): readonly Statement[] {
  return Object.entries(template.findResources('AWS::IAM::Policy')).flatMap(([policy, resource]) =>
    policySchema
      .parse(resource)
      .Properties.PolicyDocument.Statement.filter(({ Effect }) => Effect === 'Allow')
      .map(({ Action, Resource, Condition }) => ({
        policy: policy.replace(/[0-9A-F]{8}$/, ''),
        actions: Action.map(String),
        resources: Resource.map(flatten),
        conditioned: Condition !== undefined,
      })),
  );
}

/** Resources by action. */
export function allActions(template: Template): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { actions, resources } of allStatements(template)) {
    for (const action of actions) found.set(action, [...(found.get(action) ?? []), ...resources]);
  }
  return found;
}

/** A resource as text: joined, references by what they refer to. */
function flatten(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return String(value);
  const [[name = '', argument] = []] = Object.entries(value);
  if (name === 'Fn::Join' && Array.isArray(argument)) {
    const [separator, parts] = argument;
    return parts.map(flatten).join(separator);
  }
  if (name === 'Fn::ImportValue')
    return `<${String(argument)
      .replace(/^.*(Ref|FnGetAtt)(\w+?)[0-9A-F]{8}(\w*?)[0-9A-F]{8}$/, '$2 $3')
      .trim()}>`;
  if (name === 'Fn::GetAtt' && Array.isArray(argument))
    return `<${argument.map((part) => String(part).replace(/[0-9A-F]{8}$/, '')).join(' ')}>`;
  return `<${String(argument).replace(/^AWS::/, '')}>`;
}
