/**
 * Everything a Lambda may touch, as small interfaces. Adapters implement them: in the cloud with the AWS SDK, on one
 * machine with folders, DuckDB and Spark processes. Decisions never know which.
 */
import type { Account } from './account.ts';
import type { Clock } from './clock.ts';
import type { Clusters } from './clusters.ts';
import type { Executions } from './executions.ts';
import type { InstanceMarket, SpotPrices } from './instance-market.ts';
import type { Log } from './log.ts';
import type { Notifications } from './notifications.ts';
import type { ObjectStore } from './objects.ts';
import type { SqlEngine } from './sql.ts';

export interface Ports {
  readonly objects: ObjectStore;
  readonly sql: SqlEngine;
  readonly clusters: Clusters;
  readonly account: Account;
  readonly instanceMarket: InstanceMarket;
  readonly spotPrices: SpotPrices;
  readonly executions: Executions;
  readonly notifications: Notifications;
  readonly log: Log;
  readonly clock: Clock;
}
