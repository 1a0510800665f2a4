/** What happens to data when its stack is deleted: it stays, unless the configuration confirms twice that it may go. */
import { RemovalPolicy } from 'aws-cdk-lib';
import type { Configuration } from '../configuration.ts';

export interface Removal {
  readonly removalPolicy: RemovalPolicy;
  /** CloudFormation deletes only buckets that are empty. */
  readonly autoDeleteObjects: boolean;
}

/** `deleteData` is accepted only together with `confirmDeleteData`, which must name the deployment. */
export function removalOf({ deleteData }: Pick<Configuration, 'deleteData'>): Removal {
  return deleteData
    ? { removalPolicy: RemovalPolicy.DESTROY, autoDeleteObjects: true }
    : { removalPolicy: RemovalPolicy.RETAIN, autoDeleteObjects: false };
}
