/** Whether the cluster's instance types are sold where it is to run: checked before the lease is taken. */
import { FLEET_NAMES, type Fleets } from '../../domain/operations.ts';
import type { InstanceOffers } from '../ports/instance-market.ts';
import { PipelineError } from '../run/errors.ts';
import type { World } from '../run/world.ts';

/**
 * Passes if EC2 does not answer: then EMR finds out.
 * @throws InvalidConfiguration naming each type, the Region and what to do
 */
export async function checkInstanceTypes(world: World): Promise<void> {
  const { fleets, region } = world.deployment;
  const types = [...new Set(Object.values(fleets).flat())];
  if (types.length === 0) return;
  const offers = await findOffers(world, types);
  const problems = offers === undefined ? [] : offerProblems(fleets, offers, region);
  if (problems.length === 0) return;
  throw new PipelineError(
    'InvalidConfiguration',
    `The cluster cannot be started:\n${problems.map((problem) => `- ${problem}`).join('\n')}`,
  );
}

async function findOffers(world: World, types: readonly string[]): Promise<InstanceOffers | undefined> {
  try {
    return await world.instanceMarket.offers(types, world.deployment.subnetIds);
  } catch (error) {
    if (error instanceof PipelineError) throw error;
    world.log.warn(`it is not known whether the instance types are sold; the run goes on: ${String(error)}`);
    return undefined;
  }
}

/**
 * What prevents a cluster. EMR starts all of it in one of the subnets' zones, so one of them must sell a type of every
 * fleet; a type that no zone of the Region sells is a mistake in any case.
 */
function offerProblems(fleets: Fleets, offers: InstanceOffers, region: string): readonly string[] {
  const zonesOf = (type: string): readonly string[] => offers.zones.get(type) ?? [];
  const unsold = FLEET_NAMES.flatMap((fleet) =>
    fleets[fleet]
      .filter((type) => zonesOf(type).length === 0)
      .map(
        (type) =>
          `${type} is not sold in ${region}: take it out of churn:${fleet}InstanceTypes, ` +
          'or replace it by one that is, and deploy again',
      ),
  );
  if (unsold.length > 0) return unsold;
  const sellsEveryFleet = (zone: string): boolean =>
    FLEET_NAMES.every((fleet) => fleets[fleet].some((type) => zonesOf(type).includes(zone)));
  if (offers.subnetZones.some(sellsEveryFleet)) return [];
  const sold = [...new Set(Object.values(fleets).flat())]
    .map((type) => `${type} in ${zonesOf(type).join(', ')}`)
    .join('; ');
  return [
    `no zone of the cluster's subnets (${offers.subnetZones.join(', ')}) sells a type of every fleet. ` +
      `${region} sells ${sold}: add types to churn:primaryInstanceTypes, churn:coreInstanceTypes or ` +
      'churn:taskInstanceTypes, or choose subnets in other zones (churn:subnetIds), and deploy again',
  ];
}
