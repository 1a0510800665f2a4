/** Adapters of the ports to an AWS account and to EC2's market for a local run, which uses neither. */
import type { Account } from '../../lambda/ports/account.ts';
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

/** Nothing is missing: no cluster is created. */
export const localAccount: Account = {
  quotas: async () => ({
    onDemand: { vcpus: Number.POSITIVE_INFINITY, inUse: 0 },
    spot: { vcpus: Number.POSITIVE_INFINITY, inUse: 0 },
  }),
  hasServiceLinkedRole: async () => true,
  untaggedSubnets: async () => [],
};
