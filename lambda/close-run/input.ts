/** What close-run is called with: by the state machine's Catch, by the rule on executions that ended, by the sweep. */
import { z } from 'zod';
import { closeRunInputSchema } from '../../domain/run.ts';

/** The rule's event, as far as it is read. Times are epoch milliseconds. */
const executionEventSchema = z.object({
  'detail-type': z.literal('Step Functions Execution Status Change'),
  detail: z.object({
    executionArn: z.string().min(1),
    name: z.string().min(1),
    status: z.enum(['FAILED', 'TIMED_OUT', 'ABORTED']),
    startDate: z.number(),
    error: z.string().nullish(),
    cause: z.string().nullish(),
  }),
});

const sweepSchema = z.strictObject({ sweep: z.literal(true) });

/** A run that is to be closed, and what the caller knows of its failure. */
export interface RunToClose {
  readonly runId: string;
  readonly executionArn: string;
  readonly startedAt: Date;
  readonly calledBy: 'catch' | 'event' | 'sweep';
  readonly error: string | undefined;
  readonly cause: string | undefined;
}

export type CloseRequest = { readonly kind: 'run'; readonly run: RunToClose } | { readonly kind: 'sweep' };

const closeRequestSchema = z.union([
  sweepSchema.transform((): CloseRequest => ({ kind: 'sweep' })),
  executionEventSchema.transform(
    ({ detail }): CloseRequest => ({
      kind: 'run',
      run: {
        runId: detail.name,
        executionArn: detail.executionArn,
        startedAt: new Date(detail.startDate),
        calledBy: 'event',
        error: detail.error ?? endingOf(detail.status),
        cause: detail.cause ?? undefined,
      },
    }),
  ),
  closeRunInputSchema.transform(
    ({ runId, executionArn, startedAt, failure }): CloseRequest => ({
      kind: 'run',
      run: {
        runId,
        executionArn,
        startedAt: new Date(startedAt),
        calledBy: 'catch',
        error: failure.Error,
        cause: failure.Cause,
      },
    }),
  ),
]);

/** Tells the three callers apart. */
export function readCloseRequest(input: unknown): CloseRequest {
  return closeRequestSchema.parse(input);
}

/** Name for the ending of an execution that gives no error. */
export function endingOf(status: string): string {
  return `Execution.${status}`;
}
