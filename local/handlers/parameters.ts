/** Checks what a state hands to a service, as the service itself would. */
import { z } from 'zod';
import { TaskError } from '../interpreter/task.ts';
import type { Json } from '../template/template.ts';

/** @throws States.ParameterPathFailure naming the parameters that are missing or wrong; no Retry of ours heals it */
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
