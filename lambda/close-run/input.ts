/** Input of close-run: from the state machine's Catch, from the rule on executions that ended, or from the sweep. */
import { z } from 'zod';
import { closeRunInputSchema } from '../../domain/run.ts';

/** The part of the rule's event that is read. Times are epoch milliseconds. */
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

/** A run that is to be closed, and what the caller knows about its failure. */
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

/** Recognizes which of the three callers it is. */
export function readCloseRequest(input: unknown): CloseRequest {
  return closeRequestSchema.parse(input);
}

/** Error name for an execution that ended without one of its own. */
export function endingOf(status: string): string {
  return `Execution.${status}`;
}
