/** The Lambdas of a local run: the same bodies as in the cloud, configured for this machine. */

import { LOCAL_DATABASE } from '../../domain/lake.ts';
import { ENVIRONMENT, FUNCTION_NAMES, type FunctionName } from '../../domain/operations.ts';
import type { Closing } from '../../lambda/close-run/close-one-run.ts';
import { closeRun } from '../../lambda/close-run/close-run.ts';
import type { Ports } from '../../lambda/ports/ports.ts';
import { type Deployment, readDeployment } from '../../lambda/run/deployment.ts';
import { type LambdaFunction, worldOf } from '../../lambda/run/world.ts';
import type { DeployedFunction } from '../handlers/lambda.ts';
import { functionArnOf, type LocalDefinition } from '../template/definition.ts';
import { FUNCTIONS } from './lambda-bodies.ts';

export interface LocalFunctions {
  /** The deployment as start-training knows it. */
  readonly planner: Deployment;
  /** By the ARN of a function or of its version. */
  readonly find: (functionArn: string) => DeployedFunction | undefined;
  /** Calls close-run, as the event rule and the sweep do. */
  readonly close: (input: unknown) => Promise<readonly Closing[]>;
  /** Every closing so far, including those by the state machine's Catch. */
  readonly closings: readonly Closing[];
}

export function localFunctions(
  definition: LocalDefinition,
  ports: Ports,
  places: { readonly lakeRoot: string; readonly eventsLocation: string },
): LocalFunctions {
  const closings: Closing[] = [];
  const closing: LambdaFunction<unknown> = async (input, world) => {
    const answer = await closeRun(input, world);
    closings.push(...answer.closings);
    return answer;
  };
  const found = new Map(
    [...definition.functions].map(([arn, { functionName, environment }]) => {
      const name = nameOf(functionName);
      const deployment = readDeployment({
        ...environment,
        [ENVIRONMENT.lakeRoot]: places.lakeRoot,
        [ENVIRONMENT.database]: LOCAL_DATABASE,
        [ENVIRONMENT.eventsRoot]: places.eventsLocation,
        [ENVIRONMENT.platform]: 'local',
      });
      return [arn, { name, deployment, body: name === 'close-run' ? closing : FUNCTIONS[name] }];
    }),
  );
  const planner = [...found.values()].find(({ name }) => name === 'start-training');
  if (planner === undefined) throw new Error('the app has no function start-training');
  return {
    planner: planner.deployment,
    find: (arn) => found.get(functionArnOf(arn)),
    close: async (input) => {
      const closer = [...found.values()].find(({ name }) => name === 'close-run');
      if (closer === undefined) throw new Error('the app has no function close-run');
      const before = closings.length;
      await closer.body(input, worldOf(ports, closer.deployment));
      return closings.slice(before);
    },
    closings,
  };
}

/** A function is named after the deployment and its folder in lambda/. */
function nameOf(functionName: string): FunctionName {
  const name = FUNCTION_NAMES.find((own) => functionName.endsWith(`-${own}`));
  if (name === undefined) {
    throw new Error(
      `the app has a function ${functionName}, which is not one of ${FUNCTION_NAMES.join(', ')}`,
    );
  }
  return name;
}
