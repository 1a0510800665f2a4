/** The ports to EC2's market, on a machine that rents nothing there. */
import type { SpotPrices } from '../../lambda/ports.ts';

/** No instances, no prices. */
export const localSpotPrices: SpotPrices = { history: async () => [] };
