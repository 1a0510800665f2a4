/** What the commands about models work with: the lake of this machine or, with --stage, of a deployed pipeline. */

import { systemClock } from '../../../lambda/ports/clock.ts';
import { Lake } from '../../../lambda/run/lake.ts';
import { ContentTags } from '../../../local/adapters/content-tags.ts';
import { DuckDbEngine } from '../../../local/adapters/duckdb-engine.ts';
import { FolderStore } from '../../../local/adapters/folder-store.ts';
import { LocalClusters } from '../../../local/adapters/local-clusters.ts';
import { LocalExecutions } from '../../../local/adapters/local-executions.ts';
import { openExistingLake } from '../../../local/run/lake-folder.ts';
import { namesPipeline, type PipelineOptions } from '../deployed/options.ts';
import type { OpenLake } from './open-lake.ts';

export interface LakeOptions extends Partial<PipelineOptions> {
  readonly lake: string;
}

export async function openWorld(options: LakeOptions): Promise<OpenLake> {
  if (namesPipeline(options)) {
    const { openDeployedWorld } = await import('../deployed/world.ts');
    return openDeployedWorld(options);
  }
  const folder = await openExistingLake(options.lake);
  const sql = new DuckDbEngine({ folder: folder.path, queriesFolder: folder.queries });
  return {
    lake: new Lake(new FolderStore(new ContentTags(folder.contentTags)), folder.root),
    clock: systemClock,
    executions: new LocalExecutions(folder.executions),
    clusters: new LocalClusters(folder.clusters),
    executionArnOf: (name) => `arn:local:states:local:execution:churn:${name}`,
    // At once: a stored answer would be one more place with ids of users.
    query: (text) => sql.ask(text),
  };
}
