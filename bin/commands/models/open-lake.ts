/** A lake that a command has opened, of this machine or of a deployment. */
import type { World } from '../../../lambda/run/world.ts';

/** The lake and whatever else a command may need of it. */
export interface OpenLake extends Pick<World, 'lake' | 'clock' | 'executions' | 'clusters'> {
  readonly executionArnOf: (name: string) => string;
  /** Rows of a query over the lake's tables. */
  readonly query: (sql: string) => Promise<readonly Readonly<Record<string, string | null>>[]>;
}
