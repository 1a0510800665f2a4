/** The command line's access to a deployed pipeline: its state machine, with the user's own credentials. */
import {
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  DescribeStateMachineForExecutionCommand,
  paginateGetExecutionHistory,
  paginateListExecutions,
  paginateListStateMachines,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { z } from 'zod';
import type { Json } from '../../../local/template/template.ts';
import { DeployedError, withRemedy } from './errors.ts';
import type { HistoryEvent } from './history.ts';
import { executionArnOf, regionOf } from './names.ts';
import type { PipelineOptions } from './options.ts';
import type { ExecutionDescription } from './outcome.ts';

export class DeployedPipeline {
  readonly stateMachineArn: string;
  readonly #client: SFNClient;

  constructor(client: SFNClient, stateMachineArn: string) {
    this.#client = client;
    this.stateMachineArn = stateMachineArn;
  }

  /** @returns the ARN of the execution; the run's id is its name */
  async start(runId: string, request: unknown): Promise<string> {
    const { executionArn } = await answerOf(
      this.#client.send(
        new StartExecutionCommand({
          stateMachineArn: this.stateMachineArn,
          name: runId,
          input: JSON.stringify(request),
        }),
      ),
    );
    return executionArn ?? executionArnOf(this.stateMachineArn, runId);
  }

  async stop(executionArn: string): Promise<void> {
    await answerOf(
      this.#client.send(new StopExecutionCommand({ executionArn, cause: 'stopped with `churn stop`' })),
    );
  }

  async describe(executionArn: string): Promise<ExecutionDescription> {
    const answer = await answerOf(this.#client.send(new DescribeExecutionCommand({ executionArn })));
    return {
      executionArn,
      status: answer.status ?? 'RUNNING',
      startedAt: answer.startDate ?? new Date(0),
      endedAt: answer.stopDate,
      output: answer.output,
      error: answer.error,
      cause: answer.cause,
    };
  }

  /** ARNs of the latest executions, newest first. */
  async latest(most: number, status?: 'RUNNING' | 'SUCCEEDED'): Promise<readonly string[]> {
    const filter = {
      stateMachineArn: this.stateMachineArn,
      maxResults: Math.min(most, 1_000),
      ...(status === undefined ? {} : { statusFilter: status }),
    };
    const arns: string[] = [];
    return answerOf(
      (async () => {
        for await (const page of paginateListExecutions({ client: this.#client }, filter)) {
          arns.push(...(page.executions ?? []).flatMap(({ executionArn }) => executionArn ?? []));
          if (arns.length >= most) break;
        }
        return arns.slice(0, most);
      })(),
    );
  }

  /** All events of the execution so far, from all pages. */
  async history(executionArn: string): Promise<readonly HistoryEvent[]> {
    const events: HistoryEvent[] = [];
    const request = { executionArn, includeExecutionData: false, maxResults: 1_000 };
    return answerOf(
      (async () => {
        for await (const page of paginateGetExecutionHistory({ client: this.#client }, request)) {
          events.push(...(page.events ?? []));
        }
        return events;
      })(),
    );
  }

  /** The definition that the execution runs, even if a later deployment has changed the state machine. */
  async definition(executionArn: string): Promise<Json> {
    const answer = await answerOf(
      this.#client.send(new DescribeStateMachineForExecutionCommand({ executionArn })),
    );
    return z.json().parse(JSON.parse(answer.definition ?? 'null'));
  }

  /**
   * The Glue database of the deployment, which its definition names in ReconcileLake.
   * @throws DeployedError if it names none
   */
  async database(): Promise<string> {
    const { stateMachineArn } = this;
    const { definition = 'null' } = await answerOf(
      this.#client.send(new DescribeStateMachineCommand({ stateMachineArn })),
    );
    const found = databaseIn(z.json().parse(JSON.parse(definition)));
    if (found === undefined)
      throw new DeployedError(`${stateMachineArn} names no database: deploy the pipeline again.`);
    return found;
  }
}

/** The database in which a state of the definition, at any depth, has Athena run its query. */
export function databaseIn(definition: Json): string | undefined {
  if (definition === null || typeof definition !== 'object') return undefined;
  for (const [key, value] of Object.entries(definition)) {
    if (key === 'QueryExecutionContext' && value !== null && typeof value === 'object' && 'Database' in value)
      return typeof value.Database === 'string' ? value.Database : undefined;
    const found = databaseIn(value);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Finds the pipeline that the options name, by its ARN or by its name and stage.
 * @throws DeployedError if there is none, or if AWS cannot be queried
 */
export async function openPipeline(
  options: PipelineOptions,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<DeployedPipeline> {
  const arn = options.stateMachine ?? environment.CHURN_STATE_MACHINE_ARN;
  if (arn !== undefined && arn !== '') {
    return new DeployedPipeline(new SFNClient({ region: regionOf(arn) }), arn);
  }
  const client = new SFNClient(options.region === undefined ? {} : { region: options.region });
  return new DeployedPipeline(client, await findStateMachine(client, `${options.name}-${options.stage}`));
}

/** ARN of the state machine with that name. @throws DeployedError if there is none */
export async function findStateMachine(client: SFNClient, name: string): Promise<string> {
  return answerOf(
    (async () => {
      for await (const page of paginateListStateMachines({ client }, {})) {
        const found = page.stateMachines?.find((machine) => machine.name === name)?.stateMachineArn;
        if (found !== undefined) return found;
      }
      const region = await client.config.region();
      throw new DeployedError(
        `There is no pipeline ${name} in ${region} with these credentials. Name another with --stage, --name or ` +
          '--region, choose another account with AWS_PROFILE, or deploy one (docs/deploy.md).',
      );
    })(),
  );
}

/** Waits for AWS's answer. An error is thrown with its remedy. */
async function answerOf<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    throw withRemedy(error);
  }
}
