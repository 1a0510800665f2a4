/** The shapes of CloudFormation templates, as far as the local run reads them. */
import { z } from 'zod';

export type Json = z.infer<ReturnType<typeof z.json>>;

const resourceSchema = z.looseObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.json()).default({}),
});
export type Resource = z.infer<typeof resourceSchema>;

export const templateSchema = z.looseObject({
  Parameters: z.record(z.string(), z.looseObject({ Default: z.json().optional() })).default({}),
  Resources: z.record(z.string(), resourceSchema).default({}),
  Outputs: z
    .record(z.string(), z.looseObject({ Value: z.json(), Export: z.object({ Name: z.json() }).optional() }))
    .default({}),
});
export type Template = z.infer<typeof templateSchema>;

/** Where a stack is deployed. */
export interface Place {
  readonly account: string;
  readonly region: string;
}

/** A stack of the synthesized app: its template, and the account and Region it is meant for. */
export interface StackTemplate extends Place {
  readonly stackName: string;
  readonly template: Template;
}
