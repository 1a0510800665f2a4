/**
 * Resolves what CDK leaves open in a CloudFormation template, for a local run: references to resources become names and
 * ARNs, references to other stacks are followed. Anything unknown is refused.
 */
import { UserError } from '../../domain/user-error.ts';
import { attributeOf, physicalId, resourceArn } from './physical-names.ts';
import type { Json, Resource, StackTemplate } from './template.ts';

/** A template contains something that cannot be resolved without deploying it. */
export class UnresolvableTemplateError extends UserError {
  override readonly name = 'UnresolvableTemplateError';
  constructor(stackName: string, what: string) {
    super(
      `The template of stack ${stackName} uses ${what}, which the local run cannot resolve. ` +
        'Add support for it in local/template, or define the value in another way.',
    );
  }
}

/** Resolves a value of a stack's template to plain JSON; `stacks` are all stacks of the app, for exports. */
export function resolve(value: Json, stack: StackTemplate, stacks: readonly StackTemplate[]): Json {
  if (Array.isArray(value)) return value.map((entry) => resolve(entry, stack, stacks));
  if (value === null || typeof value !== 'object') return value;
  const [entry, ...others] = Object.entries(value);
  if (entry !== undefined && others.length === 0 && (entry[0] === 'Ref' || entry[0].startsWith('Fn::'))) {
    return resolveIntrinsic(entry[0], entry[1], stack, stacks);
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key, resolve(child, stack, stacks)]),
  );
}

/** Like `resolve`, for a value that must be text. */
export function resolveText(value: Json, stack: StackTemplate, stacks: readonly StackTemplate[]): string {
  const resolved = resolve(value, stack, stacks);
  if (typeof resolved !== 'string') {
    throw new UnresolvableTemplateError(stack.stackName, `${JSON.stringify(value)} where text is needed`);
  }
  return resolved;
}

function resolveIntrinsic(
  name: string,
  argument: Json,
  stack: StackTemplate,
  stacks: readonly StackTemplate[],
): Json {
  const refuse = (): never => {
    throw new UnresolvableTemplateError(stack.stackName, JSON.stringify({ [name]: argument }));
  };
  const inner = (value: Json): Json => resolve(value, stack, stacks);
  switch (name) {
    case 'Ref':
      return typeof argument === 'string' ? reference(argument, stack, stacks) : refuse();
    case 'Fn::GetAtt': {
      const [logicalId, attribute] =
        typeof argument === 'string' ? argument.split('.', 2) : asTexts(argument);
      if (logicalId === undefined || attribute === undefined) return refuse();
      return getAttribute(logicalId, attribute, stack, stacks);
    }
    case 'Fn::Join': {
      const [separator, parts] = Array.isArray(argument) ? argument : [];
      const resolved = parts === undefined ? undefined : inner(parts);
      if (typeof separator !== 'string' || !Array.isArray(resolved)) return refuse();
      return resolved.map((part) => (isScalar(part) ? String(part) : refuse())).join(separator);
    }
    case 'Fn::Select': {
      const [index, list] = Array.isArray(argument) ? argument : [];
      const resolved = list === undefined ? undefined : inner(list);
      if (index === undefined || !Array.isArray(resolved)) return refuse();
      return resolved[Number(index)] ?? refuse();
    }
    case 'Fn::Split': {
      const [separator, text] = Array.isArray(argument) ? argument.map(inner) : [];
      if (typeof separator !== 'string' || typeof text !== 'string') return refuse();
      return text.split(separator);
    }
    case 'Fn::Sub':
      return substitute(argument, stack, stacks) ?? refuse();
    case 'Fn::ImportValue':
      return importValue(resolveText(argument, stack, stacks), stacks) ?? refuse();
    case 'Fn::GetAZs':
      return ['a', 'b', 'c'].map((zone) => `${stack.region}${zone}`);
    default:
      return refuse();
  }
}

function reference(logicalId: string, stack: StackTemplate, stacks: readonly StackTemplate[]): Json {
  const pseudo = pseudoParameter(logicalId, stack);
  if (pseudo !== undefined) return pseudo;
  const parameter = stack.template.Parameters[logicalId];
  if (parameter?.Default !== undefined) return parameter.Default;
  const resource = stack.template.Resources[logicalId];
  if (resource === undefined) {
    throw new UnresolvableTemplateError(stack.stackName, `the parameter ${logicalId}, which has no default,`);
  }
  return physicalId(logicalId, resolved(resource, stack, stacks), stack);
}

function getAttribute(
  logicalId: string,
  attribute: string,
  stack: StackTemplate,
  stacks: readonly StackTemplate[],
): string {
  const resource = stack.template.Resources[logicalId];
  if (resource === undefined) {
    throw new UnresolvableTemplateError(stack.stackName, `the resource ${logicalId}, which is not in it,`);
  }
  const plain = resolved(resource, stack, stacks);
  const value =
    attribute === 'Arn' ? resourceArn(logicalId, plain, stack) : attributeOf(logicalId, plain, attribute);
  if (value === undefined) {
    throw new UnresolvableTemplateError(
      stack.stackName,
      `the attribute ${attribute} of ${logicalId} (${resource.Type})`,
    );
  }
  return value;
}

/** The resource with only those properties that can be its name, resolved; the others may contain anything. */
function resolved(resource: Resource, stack: StackTemplate, stacks: readonly StackTemplate[]): Resource {
  const names = Object.entries(resource.Properties).filter(
    ([key]) => key.endsWith('Name') || key === 'DatabaseInput' || key === 'Id',
  );
  return {
    ...resource,
    Properties: Object.fromEntries(names.map(([key, value]) => [key, resolve(value, stack, stacks)])),
  };
}

function pseudoParameter(name: string, stack: StackTemplate): string | undefined {
  const known: Readonly<Record<string, string>> = {
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::AccountId': stack.account,
    'AWS::Region': stack.region,
    'AWS::StackName': stack.stackName,
    'AWS::StackId': `arn:aws:cloudformation:${stack.region}:${stack.account}:stack/${stack.stackName}/00000000-local`,
  };
  return known[name];
}

/** `${Name}`, `${Name.Attribute}` and the variables of the long form; `${!literal}` stays as `${literal}`. */
function substitute(
  argument: Json,
  stack: StackTemplate,
  stacks: readonly StackTemplate[],
): string | undefined {
  const [text, variables] =
    typeof argument === 'string' ? [argument, {}] : Array.isArray(argument) ? argument : [];
  if (typeof text !== 'string' || variables === null || typeof variables !== 'object') return undefined;
  const own = new Map(Object.entries(variables));
  return text.replaceAll(/\$\{([^}]+)\}/g, (_match, name: string) => {
    if (name.startsWith('!')) return `\${${name.slice(1)}}`;
    const variable = own.get(name);
    if (variable !== undefined) return resolveText(variable, stack, stacks);
    const [logicalId, attribute] = name.split('.', 2);
    if (logicalId !== undefined && attribute !== undefined) {
      return getAttribute(logicalId, attribute, stack, stacks);
    }
    return resolveText({ Ref: name }, stack, stacks);
  });
}

function importValue(exportName: string, stacks: readonly StackTemplate[]): Json | undefined {
  for (const stack of stacks) {
    for (const output of Object.values(stack.template.Outputs)) {
      if (output.Export !== undefined && resolveText(output.Export.Name, stack, stacks) === exportName) {
        return resolve(output.Value, stack, stacks);
      }
    }
  }
  return undefined;
}

function asTexts(value: Json): readonly string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}

function isScalar(value: Json): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
