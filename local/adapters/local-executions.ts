/** Adapter of the Executions port: the runs of one lake, each with the process that runs it. */
import { z } from 'zod';
import type {
  ExecutionStatus,
  Executions,
  FailedExecution,
  StateVisit,
} from '../../lambda/ports/executions.ts';
import { isAlive, ownIdentity, processSchema } from '../processes/identity.ts';
import { Registry } from './registry.ts';

const executionSchema = z.strictObject({
  runId: z.string(),
  executionArn: z.string(),
  status: z.enum(['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED']),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  process: processSchema,
});
export type LocalExecution = z.infer<typeof executionSchema>;

/** A run whose process was killed counts as aborted, whatever its record says. */
function statusOf(execution: LocalExecution): ExecutionStatus {
  return execution.status === 'RUNNING' && !isAlive(execution.process) ? 'ABORTED' : execution.status;
}

export class LocalExecutions implements Executions {
  readonly #registry: Registry<typeof executionSchema>;
  readonly #visits: () => readonly StateVisit[];
  #own: string | undefined;

  /** @param visits states of the execution that begins here: those of others are not kept */
  constructor(folder: string, visits: () => readonly StateVisit[] = () => []) {
    this.#registry = new Registry(folder, executionSchema);
    this.#visits = visits;
  }

  async begin(runId: string, executionArn: string, startedAt: Date): Promise<void> {
    this.#own = executionArn;
    await this.#registry.put(runId, {
      runId,
      executionArn,
      status: 'RUNNING',
      startedAt: startedAt.toISOString(),
      endedAt: null,
      process: ownIdentity(),
    });
  }

  async end(runId: string, status: LocalExecution['status'], endedAt: Date): Promise<void> {
    const execution = await this.#registry.find(runId);
    if (execution === undefined) throw new Error(`this lake has no run ${runId}`);
    await this.#registry.put(runId, { ...execution, status, endedAt: endedAt.toISOString() });
  }

  async status(executionArn: string): Promise<ExecutionStatus> {
    const execution = await this.#registry.find(runIdOf(executionArn));
    return execution === undefined ? 'UNKNOWN' : statusOf(execution);
  }

  async visits(executionArn: string): Promise<readonly StateVisit[]> {
    return executionArn === this.#own ? this.#visits() : [];
  }

  async failedSince(since: Date): Promise<readonly FailedExecution[]> {
    const executions = await this.#registry.all();
    return executions
      .map((execution) => ({
        runId: execution.runId,
        executionArn: execution.executionArn,
        status: statusOf(execution),
        startedAt: new Date(execution.startedAt),
      }))
      .filter(
        ({ status, startedAt }) => status !== 'RUNNING' && status !== 'SUCCEEDED' && startedAt >= since,
      );
  }
}

/** An execution's name is the last part of its ARN. */
function runIdOf(executionArn: string): string {
  return executionArn.slice(executionArn.lastIndexOf(':') + 1);
}
