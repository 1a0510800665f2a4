/** Statements of policies in a template, as tests read them. */
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

const documentSchema = z.looseObject({
  Statement: z.array(
    z.looseObject({
      Sid: z.string().optional(),
      Effect: z.string(),
      Principal: z.unknown().optional(),
      Action: oneOrMore,
      Resource: oneOrMore.optional(),
      Condition: z.record(z.string(), z.record(z.string(), oneOrMore)).optional(),
    }),
  ),
});
export type PolicyDocument = z.infer<typeof documentSchema>;

const resourceSchema = z.looseObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
});

export interface FoundDocument {
  /** The resource's id, without the part that is generated. */
  readonly resource: string;
  readonly type: string;
  readonly document: PolicyDocument;
}

/** The policy documents of all resources: their own, and what roles trust. */
export function policyDocuments(template: Template): readonly FoundDocument[] {
  return Object.entries(template.toJSON().Resources ?? {}).flatMap(([id, found]) => {
    const { Type: type, Properties } = resourceSchema.parse(found);
    return Object.values(Properties).flatMap((property) => {
      const { success, data: document } = documentSchema.safeParse(property);
      return success ? [{ resource: id.replace(/[0-9A-F]{8}$/, ''), type, document }] : [];
    });
  });
}

/** What is allowed by wildcard in a document, as `Resource bucket/*`. */
export function wildcards({ type, document }: FoundDocument): readonly string[] {
  // Actions and resources of roles are cdk-nag's business.
  const ofRole = type === 'AWS::IAM::Policy';
  return document.Statement.filter(({ Effect }) => Effect === 'Allow').flatMap((statement) => {
    const { Principal, Action, Resource = [], Condition = {} } = statement;
    const named = [
      ...(ofRole ? [] : Action.map((action) => ['Action', action])),
      ...(ofRole ? [] : Resource.map((resource) => ['Resource', resource])),
      ...principals(Principal).map((principal) => ['Principal', principal]),
      ...Object.values(Condition).flatMap((keys) =>
        Object.entries(keys).flatMap(([key, values]) => values.map((value) => [`Condition ${key}`, value])),
      ),
    ];
    return named.map(([name, value]) => `${name} ${flatten(value)}`).filter((text) => text.includes('*'));
  });
}

/** Principals as text, of whatever kind. */
export function principals(principal: unknown): readonly string[] {
  if (typeof principal !== 'object' || principal === null)
    return principal === undefined ? [] : [String(principal)];
  return Object.values(principal).flatMap((names) => (Array.isArray(names) ? names : [names]).map(flatten));
}

/** A resource as text: joined, references by what they refer to. */
export function flatten(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return String(value);
  const [[name = '', argument] = []] = Object.entries(value);
  if (name === 'Fn::Join' && Array.isArray(argument)) {
    const [separator, parts] = argument;
    return parts.map(flatten).join(separator);
  }
  if (name === 'Fn::If' && Array.isArray(argument)) {
    const [, yes, no] = argument.map(flatten);
    return `<${yes} or ${no}>`;
  }
  if (name === 'Fn::ImportValue')
    return `<${String(argument)
      .replace(/^.*(Ref|FnGetAtt)(\w+?)[0-9A-F]{8}(\w*?)[0-9A-F]{8}$/, '$2 $3')
      .trim()}>`;
  if (name === 'Fn::GetAtt' && Array.isArray(argument))
    return `<${argument.map((part) => String(part).replace(/[0-9A-F]{8}$/, '')).join(' ')}>`;
  return `<${String(argument).replace(/^AWS::|[0-9A-F]{8}$/g, '')}>`;
}
