/** Errors that a Lambda ends with on purpose. Step Functions sees the name; people read the message. */
import type { ErrorName } from '../../domain/operations.ts';

/** What was wrong, where, and what to do next, under a name that no retry heals. */
export class PipelineError extends Error {
  constructor(name: ErrorName, message: string) {
    super(message);
    this.name = name;
  }
}
