/** What a run cost: its clusters' instances at the table's prices, or at the market's if they were on spot. */
import { instancesUsd } from '../../domain/cost.ts';
import type { RunRecord } from '../../domain/records.ts';
import { meanUsdPerHour } from '../../domain/spot-price.ts';
import type { PricedPeriod } from '../../domain/state-costs.ts';
import type { ClusterDescription, ClusterInstance } from '../ports/clusters.ts';
import type { SpotPriceChange } from '../ports/instance-market.ts';
import type { World } from './world.ts';

export type RunCost = Pick<RunRecord, 'cost_usd' | 'spot_price_source'>;

/** The cost of a run, and what each instance had in it; null where an instance has no price in the table. */
export interface CostByInstance {
  readonly total: RunCost;
  readonly instances: readonly PricedPeriod[] | null;
}

/** The cost is null when an instance has no price in the table. It is no error if the market does not answer. */
export async function runCost(world: World, clusters: readonly ClusterDescription[]): Promise<RunCost> {
  return (await costByInstance(world, clusters)).total;
}

/** The same, with what each instance had in it. */
export async function costByInstance(
  world: World,
  clusters: readonly ClusterDescription[],
): Promise<CostByInstance> {
  const { platform, region } = world.deployment;
  if (platform === 'local') return { total: { cost_usd: 0, spot_price_source: null }, instances: [] };
  const instances = clusters.flatMap((cluster) => cluster.instances);
  const history = await spotHistory(world, instances);
  const priced = instances.map((instance) => ({
    instanceType: instance.instanceType,
    market: instance.market,
    seconds: (instance.endedAt.getTime() - instance.startedAt.getTime()) / 1_000,
    ec2UsdPerHour: marketPrice(instance, history),
    from: instance.startedAt,
    to: instance.endedAt,
  }));
  const known = priced
    .filter(({ market }) => market === 'SPOT')
    .map(({ ec2UsdPerHour }) => ec2UsdPerHour !== undefined);
  const costs = priced.map((one) => ({ from: one.from, to: one.to, usd: instancesUsd([one], region) }));
  return {
    total: { cost_usd: instancesUsd(priced, region) ?? null, spot_price_source: sourceOf(known) },
    instances: costs.every(isPriced) ? costs : null,
  };
}

function isPriced(
  one: Omit<PricedPeriod, 'usd'> & { readonly usd: number | undefined },
): one is PricedPeriod {
  return one.usd !== undefined;
}

type History = ReadonlyMap<string, readonly SpotPriceChange[]>;

/** Price changes by zone, over the time that spot instances ran there. */
async function spotHistory(world: World, instances: readonly ClusterInstance[]): Promise<History> {
  const byZone = Map.groupBy(
    instances.filter(({ market }) => market === 'SPOT'),
    ({ zone }) => zone,
  );
  const history = new Map<string, readonly SpotPriceChange[]>();
  for (const [zone, there] of byZone) {
    if (zone === null) continue;
    try {
      const changes = await world.spotPrices.history({
        zone,
        instanceTypes: [...new Set(there.map(({ instanceType }) => instanceType))],
        from: new Date(Math.min(...there.map(({ startedAt }) => startedAt.getTime()))),
        to: new Date(Math.max(...there.map(({ endedAt }) => endedAt.getTime()))),
      });
      history.set(zone, changes);
    } catch (error) {
      world.log.warn(`no spot prices of ${zone}, so the table's prices are used: ${String(error)}`);
    }
  }
  return history;
}

function marketPrice(
  { market, zone, instanceType, startedAt, endedAt }: ClusterInstance,
  history: History,
): number | undefined {
  if (market !== 'SPOT' || zone === null) return undefined;
  const changes = history.get(zone)?.filter((change) => change.instanceType === instanceType) ?? [];
  return meanUsdPerHour(changes, startedAt, endedAt);
}

/** @param known for each spot instance, whether the market has its price */
function sourceOf(known: readonly boolean[]): RunCost['spot_price_source'] {
  if (known.length === 0) return null;
  if (known.every((isKnown) => isKnown)) return 'market';
  return known.some((isKnown) => isKnown) ? 'market and table' : 'table';
}
