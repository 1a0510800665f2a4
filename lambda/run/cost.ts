/** What a run cost: its clusters' instances by the price table, and by the market where they were on spot. */
import { instancesUsd } from '../../domain/cost.ts';
import type { RunRecord } from '../../domain/records.ts';
import { meanUsdPerHour } from '../../domain/spot-price.ts';
import type { ClusterDescription, ClusterInstance, Ports, SpotPriceChange } from '../ports/ports.ts';
import type { FunctionContext } from './context.ts';

export type RunCost = Pick<RunRecord, 'cost_usd' | 'spot_price_source'>;

/** The cost is null when an instance has no price in the table. A market that gives no answer is no error. */
export async function runCost(
  clusters: readonly ClusterDescription[],
  ports: Ports,
  context: FunctionContext,
): Promise<RunCost> {
  if (context.platform === 'local') return { cost_usd: 0, spot_price_source: null };
  const instances = clusters.flatMap((cluster) => cluster.instances);
  const history = await spotHistory(instances, ports);
  const priced = instances.map((instance) => ({
    instanceType: instance.instanceType,
    market: instance.market,
    seconds: (instance.endedAt.getTime() - instance.startedAt.getTime()) / 1_000,
    ec2UsdPerHour: marketPrice(instance, history),
  }));
  const known = priced
    .filter(({ market }) => market === 'SPOT')
    .map(({ ec2UsdPerHour }) => ec2UsdPerHour !== undefined);
  return { cost_usd: instancesUsd(priced, context.region) ?? null, spot_price_source: sourceOf(known) };
}

type History = ReadonlyMap<string, readonly SpotPriceChange[]>;

/** Price changes by zone, over the lives of the spot instances there. */
async function spotHistory(instances: readonly ClusterInstance[], ports: Ports): Promise<History> {
  const byZone = Map.groupBy(
    instances.filter(({ market }) => market === 'SPOT'),
    ({ zone }) => zone,
  );
  const history = new Map<string, readonly SpotPriceChange[]>();
  for (const [zone, there] of byZone) {
    if (zone === null) continue;
    try {
      const changes = await ports.spotPrices.history({
        zone,
        instanceTypes: [...new Set(there.map(({ instanceType }) => instanceType))],
        from: new Date(Math.min(...there.map(({ startedAt }) => startedAt.getTime()))),
        to: new Date(Math.max(...there.map(({ endedAt }) => endedAt.getTime()))),
      });
      history.set(zone, changes);
    } catch (error) {
      ports.log.warn(`no spot prices of ${zone}, the table's stand in for them: ${String(error)}`);
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

/** @param known of each spot instance, whether the market told its price */
function sourceOf(known: readonly boolean[]): RunCost['spot_price_source'] {
  if (known.length === 0) return null;
  if (known.every((told) => told)) return 'market';
  return known.some((told) => told) ? 'market and table' : 'table';
}
