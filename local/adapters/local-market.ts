/** The ports to EC2's market, on a machine that rents nothing there. */
import type { InstanceMarket, SpotPrices } from '../../lambda/ports/instance-market.ts';

/** No instances, no prices. */
export const localSpotPrices: SpotPrices = { history: async () => [] };

/** Everything is sold: the configured types are of no concern here. */
export const localInstanceMarket: InstanceMarket = {
  offers: async (instanceTypes) => ({
    zones: new Map(instanceTypes.map((type) => [type, ['here']])),
    subnetZones: ['here'],
  }),
};
