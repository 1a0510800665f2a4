/** What a call of a Lambda works with. It is made once a call; functions take it, or only what they need of it. */
import type { ObjectStore } from '../ports/objects.ts';
import type { Ports } from '../ports/ports.ts';
import type { Deployment } from './deployment.ts';
import { Lake } from './lake.ts';

export interface World extends Omit<Ports, 'objects'> {
  readonly lake: Lake;
  /** The event log, which is outside the lake: a run lists its files, and only Spark reads them. */
  readonly eventLog: Pick<ObjectStore, 'pages'>;
  readonly deployment: Deployment;
}

/** A Lambda's body: the same in the cloud and on one machine. */
export type LambdaFunction<Output> = (input: unknown, world: World) => Promise<Output>;

/** Ports are looked up when they are used: an adapter that a Lambda does not use may lack its configuration. */
export function worldOf(ports: Ports, deployment: Deployment): World {
  const { lakeRoot } = deployment;
  return {
    deployment,
    lake: new Lake(ports.objects, lakeRoot),
    eventLog: ports.objects,
    log: ports.log,
    clock: ports.clock,
    get sql() {
      return ports.sql;
    },
    get clusters() {
      return ports.clusters;
    },
    get account() {
      return ports.account;
    },
    get instanceMarket() {
      return ports.instanceMarket;
    },
    get spotPrices() {
      return ports.spotPrices;
    },
    get executions() {
      return ports.executions;
    },
    get notifications() {
      return ports.notifications;
    },
  };
}
