/** Errors with which a Lambda fails on purpose. Step Functions sees the name; people read the message. */
import type { ErrorName } from '../../domain/operations.ts';
import { UserError } from '../../domain/user-error.ts';

/** Retrying does not help: the message says what to do instead. */
export class PipelineError extends UserError {
  constructor(name: ErrorName, message: string) {
    super(message);
    this.name = name;
  }
}
