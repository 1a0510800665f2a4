/** What `churn doctor` reads about a deployment before it checks the account. */
import { GetFunctionConfigurationCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { DescribeStateMachineCommand, type SFNClient } from '@aws-sdk/client-sfn';
import { ENVIRONMENT, type FunctionName, topicName } from '../../../../domain/operations.ts';
import { type Deployment, readDeployment } from '../../../../lambda/run/deployment.ts';
import { DeployedError, withRemedy } from '../errors.ts';
import { regionOf, stateMachineNameOf } from '../names.ts';

export interface Facts {
  readonly deployment: Deployment;
  readonly securityGroupIds: readonly string[];
  readonly topicArn: string;
  /** Whether the topic was there before the deployment, and belongs to others. */
  readonly isExistingTopic: boolean;
}

export interface FactClients {
  readonly lambda: LambdaClient;
  readonly stepFunctions: SFNClient;
}

/** Parameters of CreateCluster that name a security group. */
const SECURITY_GROUPS = [
  'EmrManagedMasterSecurityGroup',
  'EmrManagedSlaveSecurityGroup',
  'ServiceAccessSecurityGroup',
] as const;
const PLANNER: FunctionName = 'start-training';

/** @throws DeployedError if the deployment cannot be read */
export async function readFacts(stateMachineArn: string, clients: FactClients): Promise<Facts> {
  const name = stateMachineNameOf(stateMachineArn);
  try {
    const environment = await plannerEnvironment(name, clients.lambda);
    const pipeline = await definitionOf(stateMachineArn, clients.stepFunctions);
    const notifier = await definitionOf(environment[ENVIRONMENT.notifierArn] ?? '', clients.stepFunctions);
    const [topicArn] = stringsAt(notifier, 'TopicArn');
    if (topicArn === undefined) throw new DeployedError('The notifier names no topic: deploy again.');
    return {
      // Lambda itself sets the Region.
      deployment: readDeployment({ ...environment, [ENVIRONMENT.region]: regionOf(stateMachineArn) }),
      securityGroupIds: [...new Set(SECURITY_GROUPS.flatMap((key) => stringsAt(pipeline, key)))],
      topicArn,
      isExistingTopic: !topicArn.endsWith(`:${topicName(name)}`),
    };
  } catch (error) {
    throw withRemedy(error);
  }
}

/** The environment of PlanRun's Lambda: it names the lake and everything else of the deployment. */
export function plannerEnvironment(
  pipelineName: string,
  client: LambdaClient,
): Promise<Readonly<Record<string, string>>> {
  return environmentOf(`${pipelineName}-${PLANNER}`, client);
}

async function environmentOf(
  functionName: string,
  client: LambdaClient,
): Promise<Readonly<Record<string, string>>> {
  const { Environment } = await client.send(
    new GetFunctionConfigurationCommand({ FunctionName: functionName }),
  );
  if (Environment?.Error !== undefined) {
    throw new DeployedError(
      `The environment of ${functionName} cannot be read: ${Environment.Error.Message}. Your credentials need ` +
        "kms:Decrypt on the deployment's key.",
    );
  }
  return Environment?.Variables ?? {};
}

async function definitionOf(stateMachineArn: string, client: SFNClient): Promise<unknown> {
  const { definition } = await client.send(new DescribeStateMachineCommand({ stateMachineArn }));
  return JSON.parse(definition ?? 'null');
}

/** The texts under a key, wherever it is in a JSON value. */
export function stringsAt(value: unknown, key: string): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]: [string, unknown]) =>
    name === key && typeof inner === 'string' ? [inner] : stringsAt(inner, key),
  );
}
