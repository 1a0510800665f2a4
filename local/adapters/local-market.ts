/** Adapters of the ports to EC2's market for a local run, which uses no EC2 instances. */
import type { InstanceMarket, SpotPrices } from '../../lambda/ports/instance-market.ts';

/** Without instances there are no prices. */
export const localSpotPrices: SpotPrices = { history: async () => [] };

/** Every instance type is available: the configured types do not matter locally. */
export const localInstanceMarket: InstanceMarket = {
  offers: async (instanceTypes) => ({
    zones: new Map(instanceTypes.map((type) => [type, ['here']])),
    subnetZones: ['here'],
  }),
};
