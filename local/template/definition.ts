/**
 * The state machine that would be deployed, as plain Amazon States Language that can be interpreted locally, together
 * with what its tasks refer to: the Lambda functions by ARN, and the Spark scripts by the URI of their upload.
 */
import { z } from 'zod';
import { notifierName } from '../../domain/operations.ts';
import { readAssembly } from './assembly.ts';
import { resolve, resolveText, UnresolvableTemplateError } from './intrinsics.ts';
import { resourceArn } from './physical-names.ts';
import type { Json, StackTemplate } from './template.ts';

/** A Lambda function of the app. */
export interface LocalFunction {
  readonly functionName: string;
  readonly logicalId: string;
  /** Its environment variables, without those whose values are known only after deployment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** A state machine of the app. */
export interface LocalStateMachine {
  readonly name: string;
  readonly arn: string;
  /** Amazon States Language without any CloudFormation functions. */
  readonly states: { readonly [key: string]: Json };
}

/** The pipeline's state machine and everything that it uses. */
export interface LocalDefinition extends LocalStateMachine {
  /** Publishes the notification of a run. */
  readonly notifier: LocalStateMachine;
  /** By their ARNs, without a version. */
  readonly functions: ReadonlyMap<string, LocalFunction>;
  /** Maps `s3://bucket/key` of an asset to the absolute path of its file or folder. */
  readonly assets: ReadonlyMap<string, string>;
}

/** Parts of `arn:aws:lambda:<region>:<account>:function:<name>`; a version follows. */
const FUNCTION_ARN_PARTS = 7;

const objectSchema = z.record(z.string(), z.json());

/** Reads the pipeline's state machine and its notifier from a synthesized app. */
export function readDefinition(assemblyFolder: string): LocalDefinition {
  const { stacks, assets } = readAssembly(assemblyFolder);
  const machines = ofType(stacks, 'AWS::StepFunctions::StateMachine').map((found) =>
    localStateMachine(found, stacks),
  );
  const pipelines = machines.flatMap((machine) =>
    machines
      .filter(({ name }) => name === notifierName(machine.name))
      .map((notifier) => ({ ...machine, notifier })),
  );
  const [pipeline, ...others] = pipelines;
  if (pipeline === undefined || others.length > 0) {
    const names = machines.map(({ name }) => name).join(', ');
    throw new Error(
      `the app in ${assemblyFolder} has the state machines ${names}; a local run needs one and its notifier`,
    );
  }
  return {
    ...pipeline,
    functions: new Map(ofType(stacks, 'AWS::Lambda::Function').map((found) => localFunction(found, stacks))),
    assets,
  };
}

interface Found {
  readonly logicalId: string;
  readonly resource: StackTemplate['template']['Resources'][string];
  readonly stack: StackTemplate;
}

function ofType(stacks: readonly StackTemplate[], type: string): readonly Found[] {
  return stacks.flatMap((stack) =>
    Object.entries(stack.template.Resources)
      .filter(([, resource]) => resource.Type === type)
      .map(([logicalId, resource]) => ({ logicalId, resource, stack })),
  );
}

function localStateMachine(
  { logicalId, resource, stack }: Found,
  stacks: readonly StackTemplate[],
): LocalStateMachine {
  const text = resolveText(resource.Properties.DefinitionString ?? null, stack, stacks);
  const arn = resolveText({ Ref: logicalId }, stack, stacks);
  return { name: arn.split(':').at(-1) ?? logicalId, arn, states: objectSchema.parse(JSON.parse(text)) };
}

function localFunction(found: Found, stacks: readonly StackTemplate[]): [string, LocalFunction] {
  const { logicalId, resource, stack } = found;
  const functionName = resolveText({ Ref: logicalId }, stack, stacks);
  const arn = resourceArn(logicalId, { ...resource, Properties: { FunctionName: functionName } }, stack);
  if (arn === undefined) throw new Error(`${logicalId} of stack ${stack.stackName} is not a Lambda function`);
  return [arn, { functionName, logicalId, environment: environmentOf(found, stacks) }];
}

/** The ARN of a function, from its own or that of one of its versions. */
export function functionArnOf(arn: string): string {
  return arn.split(':').slice(0, FUNCTION_ARN_PARTS).join(':');
}

function environmentOf({ resource, stack }: Found, stacks: readonly StackTemplate[]): Record<string, string> {
  const variables = z.object({ Variables: objectSchema }).safeParse(resource.Properties.Environment ?? {})
    .data?.Variables;
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables ?? {})) {
    try {
      environment[name] = String(resolve(value, stack, stacks));
    } catch (error) {
      // The value is known only after deployment; the function that needs it reports that it is missing.
      if (!(error instanceof UnresolvableTemplateError)) throw error;
    }
  }
  return environment;
}
