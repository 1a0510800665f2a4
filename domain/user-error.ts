/**
 * An error that the person who reads it can act on. The message says what is wrong, where, and what to do next, so it
 * is shown without a stack. Every other error is a bug of this project, and its stack is what matters.
 */
export class UserError extends Error {
  override name = 'UserError';
}
