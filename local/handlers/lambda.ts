/** Local counterpart of Lambda: calls the function's own body with local adapters. */
import { z } from 'zod';
import type { Ports } from '../../lambda/ports/ports.ts';
import type { Deployment } from '../../lambda/run/deployment.ts';
import { type LambdaFunction, worldOf } from '../../lambda/run/world.ts';
import { TaskError, type TaskHandlers } from '../interpreter/task.ts';
import { checkedParameters } from './parameters.ts';

const invokeSchema = z.looseObject({ FunctionName: z.string(), Payload: z.json().default({}) });

export interface LocalLambda {
  readonly ports: Ports;
  /** By the ARN of a function or of its version; undefined when the app has no such function. */
  readonly find: (functionArn: string) => DeployedFunction | undefined;
}

/** A function of the app: its body, and its deployment as its environment describes it. */
export interface DeployedFunction {
  readonly body: LambdaFunction<unknown>;
  readonly deployment: Deployment;
}

/** Handler of invoke. An error that the function throws becomes the task's error, as Lambda reports it. */
export function lambda({ ports, find }: LocalLambda): TaskHandlers {
  return {
    'lambda:invoke': async (parameters) => {
      const { FunctionName: arn, Payload: payload } = checkedParameters(invokeSchema, parameters, 'invoke');
      const found = find(arn);
      if (found === undefined)
        throw new TaskError('Lambda.ResourceNotFoundException', `there is no function ${arn}`);
      try {
        const answer = await found.body(payload, worldOf(ports, found.deployment));
        return { ExecutedVersion: versionIn(arn), StatusCode: 200, Payload: z.json().parse(answer ?? null) };
      } catch (error) {
        const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
        throw new TaskError(
          name,
          JSON.stringify({ errorType: name, errorMessage: message, trace: (stack ?? '').split('\n') }),
        );
      }
    },
  };
}

/** The version that an ARN of a function ends with. */
function versionIn(functionArn: string): string {
  return /:function:[^:]+:(.+)$/.exec(functionArn)?.[1] ?? '$LATEST';
}
