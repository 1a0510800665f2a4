/** Where the app can be deployed: its prices, its console links and the buckets of its network are those of `aws`. */
import { RegionInfo } from 'aws-cdk-lib/region-info';
import { ConfigurationError } from './configuration.ts';

const PARTITION = 'aws';

/**
 * Refuses a Region of China, of GovCloud or of another partition; a Region that CDK does not know yet is left alone.
 * @throws ConfigurationError naming the Region and its partition
 */
export function checkPartition(region: string | undefined): void {
  const partition = region === undefined ? undefined : RegionInfo.get(region).partition;
  if (partition === undefined || partition === PARTITION) return;
  throw new ConfigurationError(
    `churn:region: ${region} belongs to the partition ${partition}; this app can be deployed to Regions of the partition ${PARTITION} only (docs/deploy.md, "Regions").`,
  );
}
