/** A question that a person answers on a terminal. */
import { createInterface } from 'node:readline/promises';
import { UserError } from '../../domain/user-error.ts';

export interface Conversation {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream;
}

/**
 * Whether the answer is yes; anything else is no.
 * @param unattended what to do where nobody can answer
 * @throws UserError where the input is no terminal
 */
export async function isAnsweredYes(
  question: string,
  unattended: string,
  { input, output }: Conversation = { input: process.stdin, output: process.stderr },
): Promise<boolean> {
  if (input.isTTY !== true) throw new UserError(`${question} Nobody can answer here: ${unattended}.`);
  const conversation = createInterface({ input, output });
  // An input that ends is no answer.
  const ended = new Promise<string>((resolve) => conversation.once('close', () => resolve('')));
  try {
    const answer = await Promise.race([conversation.question(`${question} [y/N] `), ended]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    conversation.close();
  }
}
