/** What the commands about models work with: the lake of this machine or, with --stage, of a deployed pipeline. */

import { systemClock } from '../../../lambda/ports/clock.ts';
import { Lake } from '../../../lambda/run/lake.ts';
import { ContentTags } from '../../../local/adapters/content-tags.ts';
import { DuckDbEngine } from '../../../local/adapters/duckdb-engine.ts';
import { FolderStore } from '../../../local/adapters/folder-store.ts';
import { LocalClusters } from '../../../local/adapters/local-clusters.ts';
import { LocalExecutions } from '../../../local/adapters/local-executions.ts';
import { openExistingLake } from '../../../local/run/lake-folder.ts';
import { ProgressLine } from '../../terminal/pace.ts';
import { namesPipeline, type PipelineOptions } from '../deployed/options.ts';
import type { OpenLake } from './open-lake.ts';

export interface LakeOptions extends Partial<PipelineOptions> {
  readonly lake: string;
}

const ASKING = 'Asking the lake';

/** What takes longer than a moment is shown on a terminal. */
export async function openWorld(options: LakeOptions): Promise<OpenLake> {
  const line = new ProgressLine(process.stderr);
  if (namesPipeline(options)) {
    const { openDeployedWorld } = await import('../deployed/world.ts');
    const world = await line.during('Opening the deployment', () => openDeployedWorld(options));
    return { ...world, query: (text) => line.during(ASKING, () => world.query(text)) };
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
    query: (text) => line.during(ASKING, () => sql.ask(text)),
  };
}
