/** The SpotPrices port over EC2's price history. */
import { type EC2Client, paginateDescribeSpotPriceHistory } from '@aws-sdk/client-ec2';
import type { SpotPriceChange, SpotPriceQuestion, SpotPrices } from '../ports/instance-market.ts';

/** The platform of EMR's instances, as the history names it. */
const PRODUCT = 'Linux/UNIX';
/** If the answer takes longer, the price table is used instead. */
const PATIENCE_MILLISECONDS = 30_000;

export class Ec2SpotPrices implements SpotPrices {
  readonly #client: EC2Client;

  constructor(client: EC2Client) {
    this.#client = client;
  }

  async history({ zone, instanceTypes, from, to }: SpotPriceQuestion): Promise<readonly SpotPriceChange[]> {
    const changes: SpotPriceChange[] = [];
    const pages = paginateDescribeSpotPriceHistory(
      { client: this.#client },
      {
        AvailabilityZone: zone,
        Filters: [{ Name: 'instance-type', Values: [...instanceTypes] }],
        ProductDescriptions: [PRODUCT],
        StartTime: from,
        EndTime: to,
      },
      { abortSignal: AbortSignal.timeout(PATIENCE_MILLISECONDS) },
    );
    for await (const page of pages) {
      for (const { InstanceType, Timestamp, SpotPrice } of page.SpotPriceHistory ?? []) {
        const usdPerHour = Number.parseFloat(SpotPrice ?? '');
        if (InstanceType === undefined || Timestamp === undefined || Number.isNaN(usdPerHour)) continue;
        changes.push({ instanceType: InstanceType, at: Timestamp, usdPerHour });
      }
    }
    return changes;
  }
}
