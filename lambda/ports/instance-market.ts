/** What EC2 sells, and at which prices on the spot market. */
import type { PriceChange } from '../../domain/spot-price.ts';

/** Where instance types are sold. */
export interface InstanceOffers {
  /** Availability zones that sell a type; a type that the Region does not sell is not in it. */
  readonly zones: ReadonlyMap<string, readonly string[]>;
  /** Availability zones of the subnets. */
  readonly subnetZones: readonly string[];
}

export interface InstanceMarket {
  offers(instanceTypes: readonly string[], subnetIds: readonly string[]): Promise<InstanceOffers>;
}

/** Which prices are asked for: of these types in that zone, over that time. */
export interface SpotPriceQuestion {
  readonly zone: string;
  readonly instanceTypes: readonly string[];
  readonly from: Date;
  readonly to: Date;
}

export interface SpotPriceChange extends PriceChange {
  readonly instanceType: string;
}

export interface SpotPrices {
  /** Changes within that time, and the last one before it for each type. */
  history(question: SpotPriceQuestion): Promise<readonly SpotPriceChange[]>;
}
