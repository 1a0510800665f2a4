/** Resources of the synthesized stacks, as tests read them. */
import { z } from 'zod';
import { type StackName, synthesize } from '../support/synthesize.ts';
import { type PolicyDocument, policyDocuments } from './policies.ts';

export const { template, configuration } = synthesize();

/** Those that own something besides alarms. */
export const STACKS: readonly StackName[] = ['storage', 'network', 'compute', 'pipeline'];

const resourceSchema = z.looseObject({
  Properties: z.record(z.string(), z.unknown()).optional(),
  DeletionPolicy: z.string().optional(),
  UpdateReplacePolicy: z.string().optional(),
});
export type Resource = z.infer<typeof resourceSchema>;

/** A stack's resources of a type, by their ids. */
export function resources(stack: StackName, type: string): [string, Resource][] {
  return Object.entries(template(stack).findResources(type)).map(([id, found]) => [
    id,
    resourceSchema.parse(found),
  ]);
}

/** Who may use the customer key, and how. */
export function keyPolicy(): PolicyDocument['Statement'] {
  return policyDocuments(template('storage'))
    .filter(({ type }) => type === 'AWS::KMS::Key')
    .flatMap(({ document }) => document.Statement);
}
