/** What Step Functions does for the tasks of a state machine: it calls services with the permissions of its role. */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { FunctionName } from '../../../domain/operations.ts';
import { TaskError, type TaskHandlers, taskFailed } from '../../../local/interpreter/task.ts';
import { functionArnOf } from '../../../local/template/definition.ts';
import type { Json } from '../../../local/template/template.ts';
import { type Answer, invoke } from '../../deploy/deployed-lambdas.ts';
import { type AwsEnvironment, callForm, callJson } from './aws-request.ts';
import type { RoledLambda } from './deployment.ts';
import { type Gateway, ServiceError } from './gateway.ts';

const POLL_MILLISECONDS = 300;

export interface PipelineTasks {
  readonly gateway: Gateway;
  /** Role of the state machine. */
  readonly role: string;
  /** By ARN, without a version. */
  readonly lambdas: ReadonlyMap<string, RoledLambda>;
  /** Called with each answer of a Lambda, before the state has it. */
  readonly onAnswer: (name: FunctionName, answer: unknown) => Promise<void>;
}

const clusterSchema = z.looseObject({
  Cluster: z.looseObject({ Status: z.looseObject({ State: z.string() }) }),
});
const stepSchema = z.looseObject({ Step: z.looseObject({ Status: z.looseObject({ State: z.string() }) }) });
const querySchema = z.looseObject({
  QueryExecution: z.looseObject({ Status: z.looseObject({ State: z.string() }) }),
});
const idsSchema = z.looseObject({
  JobFlowId: z.string().default(''),
  StepIds: z.array(z.string()).default([]),
  QueryExecutionId: z.string().default(''),
});

/** Handlers of all tasks of the pipeline's state machine. */
export function pipelineTasks(tasks: PipelineTasks): TaskHandlers {
  const environment = tasks.gateway.environmentOf(tasks.role);
  const emr = (operation: string, request: Json): Promise<Json> =>
    named('EMR', callJson(environment, 'elasticmapreduce', operation, request));
  const cluster = async (id: string): Promise<Json> => emr('DescribeCluster', { ClusterId: id });
  const stateOf = (answer: Json): string => clusterSchema.parse(answer).Cluster.Status.State;
  return {
    'elasticmapreduce:createCluster.sync': async (parameters, { signal }) => {
      const { JobFlowId: id } = idsSchema.parse(await emr('RunJobFlow', parameters));
      const answer = await polled(
        () => cluster(id),
        (each) => stateOf(each) !== 'STARTING',
        signal,
      );
      if (stateOf(answer) !== 'WAITING') throw taskFailed(answer);
      return { ...z.record(z.string(), z.json()).parse(answer), ClusterId: id };
    },
    'elasticmapreduce:addStep.sync': async (parameters, { signal }) => {
      const { ClusterId, Step } = z.looseObject({ ClusterId: z.string(), Step: z.json() }).parse(parameters);
      const { StepIds } = idsSchema.parse(
        await emr('AddJobFlowSteps', { JobFlowId: ClusterId, Steps: [Step] }),
      );
      const stepState = (answer: Json): string => stepSchema.parse(answer).Step.Status.State;
      const answer = await polled(
        () => emr('DescribeStep', { ClusterId, StepId: StepIds[0] ?? '' }),
        (each) => !['PENDING', 'RUNNING'].includes(stepState(each)),
        signal,
      );
      if (stepState(answer) !== 'COMPLETED') throw taskFailed(answer);
      return answer;
    },
    'elasticmapreduce:terminateCluster.sync': async (parameters, { signal }) => {
      const { ClusterId } = z.looseObject({ ClusterId: z.string() }).parse(parameters);
      await emr('TerminateJobFlows', { JobFlowIds: [ClusterId] });
      return polled(
        () => cluster(ClusterId),
        (each) => stateOf(each).startsWith('TERMINATED'),
        signal,
      );
    },
    'lambda:invoke': (parameters) => invokeLambda(tasks, parameters),
    'athena:startQueryExecution.sync': async (parameters, { signal }) => {
      const athena = (operation: string, request: Json): Promise<Json> =>
        named('Athena', callJson(environment, 'athena', operation, request));
      const { QueryExecutionId } = idsSchema.parse(await athena('StartQueryExecution', parameters));
      const queryState = (answer: Json): string => querySchema.parse(answer).QueryExecution.Status.State;
      const answer = await polled(
        () => athena('GetQueryExecution', { QueryExecutionId }),
        (each) => queryState(each) !== 'RUNNING',
        signal,
      );
      if (queryState(answer) !== 'SUCCEEDED') throw taskFailed(answer);
      return answer;
    },
    'states:startExecution': async (parameters) => {
      const { StateMachineArn, Name, Input } = z
        .looseObject({ StateMachineArn: z.string(), Name: z.string(), Input: z.json() })
        .parse(parameters);
      const request = { stateMachineArn: StateMachineArn, name: Name, input: JSON.stringify(Input) };
      return named('StepFunctions', callJson(environment, 'states', 'StartExecution', request));
    },
  };
}

/** Handler of the notifier's only task. @param environment of the notifier's role */
export function notifierTasks(environment: AwsEnvironment): TaskHandlers {
  const publishSchema = z.looseObject({
    TopicArn: z.string(),
    Subject: z.string(),
    Message: z.string(),
    MessageAttributes: z.record(z.string(), z.object({ DataType: z.string(), StringValue: z.string() })),
  });
  return {
    'sns:publish': async (parameters) => {
      const { TopicArn, Subject, Message, MessageAttributes } = publishSchema.parse(parameters);
      const attributes = Object.entries(MessageAttributes).flatMap(([name, value], index) => {
        const entry = `MessageAttributes.entry.${index + 1}`;
        return [
          [`${entry}.Name`, name],
          [`${entry}.Value.DataType`, value.DataType],
          [`${entry}.Value.StringValue`, value.StringValue],
        ];
      });
      const form = { Action: 'Publish', Version: '2010-03-31', TopicArn, Subject, Message };
      const answer = await named(
        'SNS',
        callForm(environment, 'sns', { ...form, ...Object.fromEntries(attributes) }),
      );
      return { MessageId: /<MessageId>([^<]+)/.exec(answer)?.[1] ?? '' };
    },
  };
}

async function invokeLambda(tasks: PipelineTasks, parameters: Json): Promise<Json> {
  const { FunctionName: arn, Payload } = z
    .looseObject({ FunctionName: z.string(), Payload: z.json() })
    .parse(parameters);
  const lambda = tasks.lambdas.get(functionArnOf(arn));
  if (lambda === undefined)
    throw new TaskError('Lambda.ResourceNotFoundException', `there is no function ${arn}`);
  const { role, gateway } = tasks;
  const none = { query: {}, headers: {}, body: '', answer: '' };
  gateway.record({ role, service: 'lambda', method: 'POST', path: arn, status: 200, ...none });
  const { output, error } = await callLambda(lambda, gateway, Payload);
  if (error !== undefined) {
    const cause = { errorType: error.name, errorMessage: error.message, trace: [] };
    throw new TaskError(error.name, JSON.stringify(cause));
  }
  await tasks.onAnswer(lambda.name, output);
  return { ExecutedVersion: '1', StatusCode: 200, Payload: z.json().parse(output ?? null) };
}

/** Calls a Lambda's bundled code with its own environment and role, as its service would. */
export function callLambda(lambda: RoledLambda, gateway: Gateway, event: unknown): Promise<Answer> {
  return invoke(lambda, { environment: gateway.environmentOf(lambda.role) }, event);
}

/** Step Functions prefixes the errors of a service with its name. */
async function named<Result>(service: string, call: Promise<Result>): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    throw new TaskError(`${service}.${error.name}Exception`, error.message);
  }
}

async function polled<Answer>(
  ask: () => Promise<Answer>,
  isDone: (answer: Answer) => boolean,
  signal: AbortSignal,
): Promise<Answer> {
  for (;;) {
    const answer = await ask();
    if (isDone(answer)) return answer;
    await delay(POLL_MILLISECONDS, undefined, { signal });
  }
}
