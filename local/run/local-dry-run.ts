/** What a run on this machine would do: PlanRun over the log and the lake, with nothing written. */
import type { RunRequest } from '../../domain/run.ts';
import { systemClock } from '../../lambda/ports/clock.ts';
import type { Ports } from '../../lambda/ports/ports.ts';
import { type DryRun, DryRunObjects, dryRun } from '../../lambda/start-training/dry-run.ts';
import { ContentTags } from '../adapters/content-tags.ts';
import { DuckDbEngine } from '../adapters/duckdb-engine.ts';
import { FolderStore } from '../adapters/folder-store.ts';
import { LocalClusters } from '../adapters/local-clusters.ts';
import { LocalExecutions } from '../adapters/local-executions.ts';
import { localAccount, localInstanceMarket, localSpotPrices } from '../adapters/local-market.ts';
import type { LocalDefinition } from '../template/definition.ts';
import type { LakeFolder } from './lake-folder.ts';
import { localFunctions } from './local-functions.ts';
import { LocalNotifications } from './local-notifications.ts';

export interface LocalDryRunOptions {
  readonly lake: LakeFolder;
  readonly definition: LocalDefinition;
  /** `file://` URI of a folder, a file or a glob. */
  readonly eventsLocation: string;
  readonly request: RunRequest;
  readonly onNote: (text: string) => void;
}

export async function dryRunLocally(options: LocalDryRunOptions): Promise<DryRun> {
  const { lake, definition, request } = options;
  const store = new FolderStore(new ContentTags(lake.contentTags, false), lake.path);
  const ports: Ports = {
    objects: new DryRunObjects(store, lake.root),
    sql: new DuckDbEngine({ folder: lake.path, queriesFolder: lake.queries }),
    clusters: new LocalClusters(lake.clusters),
    account: localAccount,
    instanceMarket: localInstanceMarket,
    spotPrices: localSpotPrices,
    executions: new LocalExecutions(lake.executions),
    notifications: new LocalNotifications({ file: lake.notifications, notifier: definition.notifier }),
    log: { warn: options.onNote },
    clock: systemClock,
  };
  const { planner } = localFunctions(definition, ports, {
    lakeRoot: lake.root,
    eventsLocation: options.eventsLocation,
  });
  return dryRun(request, ports, planner);
}
