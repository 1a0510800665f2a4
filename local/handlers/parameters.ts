/** Checks the parameters that a state passes to a service, as the service itself would. */
import { z } from 'zod';
import { TaskError } from '../interpreter/task.ts';
import type { Json } from '../template/intrinsics.ts';

/** @throws States.ParameterPathFailure naming the parameters that are missing or wrong; the pipeline's Retry settings do not cover it */
export function checkedParameters<Schema extends z.ZodType>(
  schema: Schema,
  parameters: Json,
  call: string,
): z.infer<Schema> {
  const checked = schema.safeParse(parameters);
  if (checked.success) return checked.data;
  throw new TaskError(
    'States.ParameterPathFailure',
    `${call} cannot use its parameters: ${z.prettifyError(checked.error)}`,
  );
}
