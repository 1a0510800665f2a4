/** How a run of a deployed pipeline stands, as a document for scripts and as text for people. Pure functions. */
import { z } from 'zod';
import { REFUSED_ERROR } from '../../../domain/operations.ts';
import type { StateTime } from '../../../local/run/timeline.ts';
import { consoleLink, runIdOf } from './names.ts';

/** What is read of DescribeExecution's answer. */
export interface ExecutionDescription {
  readonly executionArn: string;
  readonly status: string;
  readonly startedAt: Date;
  readonly endedAt: Date | undefined;
  readonly output: string | undefined;
  readonly error: string | undefined;
  readonly cause: string | undefined;
}

/** `RUNNING` also stands for an execution that waits for its redrive. */
export type RunStatus =
  | 'RUNNING'
  | 'SUCCEEDED'
  | 'NOTHING_TO_DO'
  | 'FAILED'
  | 'TIMED_OUT'
  | 'ABORTED'
  | 'REFUSED';

export interface Outcome {
  readonly status: RunStatus;
  readonly runId: string;
  readonly startedAt: string;
  readonly seconds: number;
  /** The run's sentences about itself, or why it ended as it did; empty while it runs. */
  readonly text: string;
  /** `s3://` address of the report, of a run that made one. */
  readonly report: string | null;
  readonly console: string;
  readonly states: readonly StateTime[];
}

/** What is said of an ending that gives no reason. */
const ENDINGS: Readonly<Partial<Record<RunStatus, string>>> = {
  ABORTED: 'it was stopped by hand; its cluster is being ended',
  TIMED_OUT: 'it took longer than a run may; its cluster is being ended',
};

const outputSchema = z.object({
  plan: z.object({ reason: z.string().optional() }).optional(),
  metrics: z.object({ summary: z.string() }).optional(),
  report: z.object({ reportUri: z.string() }).optional(),
});

/** @param states of the run, where they were read */
export function outcomeOf(
  description: ExecutionDescription,
  now: Date,
  states: readonly StateTime[] = [],
): Outcome {
  const { executionArn, startedAt, endedAt, error, cause } = description;
  const output = outputOf(description.output);
  const status = statusOf(description, output);
  const why = [error, cause].filter((part) => part !== undefined && part !== '').join(': ');
  const ending = why === '' ? (ENDINGS[status] ?? '') : why;
  return {
    status,
    runId: runIdOf(executionArn),
    startedAt: startedAt.toISOString(),
    seconds: Math.round(((endedAt ?? now).getTime() - startedAt.getTime()) / 1_000),
    text: status === 'REFUSED' ? (cause ?? '') : (output?.metrics?.summary ?? output?.plan?.reason ?? ending),
    report: output?.report?.reportUri ?? null,
    console: consoleLink(executionArn),
    states,
  };
}

/** Whether a script may take the run as done. */
export function isSuccess({ status }: Outcome): boolean {
  return status === 'SUCCEEDED' || status === 'NOTHING_TO_DO';
}

function outputOf(text: string | undefined): z.infer<typeof outputSchema> | undefined {
  if (text === undefined) return undefined;
  try {
    return outputSchema.safeParse(JSON.parse(text)).data;
  } catch {
    // Cut off, or not ours: nothing depends on it.
    return undefined;
  }
}

function statusOf(
  { status, error }: ExecutionDescription,
  output: z.infer<typeof outputSchema> | undefined,
): RunStatus {
  switch (status) {
    case 'SUCCEEDED':
      return output?.metrics === undefined && output?.plan?.reason !== undefined
        ? 'NOTHING_TO_DO'
        : 'SUCCEEDED';
    case 'FAILED':
      return error === REFUSED_ERROR ? 'REFUSED' : 'FAILED';
    case 'TIMED_OUT':
    case 'ABORTED':
      return status;
    default:
      return 'RUNNING';
  }
}
