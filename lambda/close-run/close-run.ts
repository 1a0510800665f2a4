/** CloseRun: closes runs that did not succeed, called by the Catch, by the rule's event, or by the sweep. */
import type { CloseRunOutput } from '../../domain/run.ts';
import type { World } from '../run/world.ts';
import { type Closing, closeOneRun } from './close-one-run.ts';
import { explanationText } from './explanation.ts';
import { readCloseRequest } from './input.ts';
import { sweep } from './sweep.ts';

/** What the execution ends with, and the closings behind it (several after a sweep). */
export type CloseRunAnswer = CloseRunOutput & { readonly closings: readonly Closing[] };

/** Closes the run that it is called for, or all that the sweep finds. Safe to call twice, and by several callers at once. */
export async function closeRun(input: unknown, world: World): Promise<CloseRunAnswer> {
  const request = readCloseRequest(input);
  if (request.kind === 'sweep') {
    const closings = await sweep(world);
    return { Error: 'Swept', Cause: `${closings.length} runs were closed.`, closings };
  }
  const closing = await closeOneRun(world, request.run);
  const { explanation } = closing;
  return { Error: explanation.error, Cause: explanationText(explanation), closings: [closing] };
}
