/** The InstanceMarket port over EC2. */
import {
  DescribeSubnetsCommand,
  type EC2Client,
  EC2ServiceException,
  paginateDescribeInstanceTypeOfferings,
} from '@aws-sdk/client-ec2';
import type { InstanceMarket, InstanceOffers } from '../ports/instance-market.ts';
import { PipelineError } from '../run/errors.ts';

/** A run can do without this check, but a cold Lambda takes a second for the first answer alone. */
const PATIENCE_MILLISECONDS = 10_000;
/** Error names by which EC2 says that the Lambda's role lacks the permission. */
const DENIALS: readonly string[] = ['UnauthorizedOperation', 'AccessDenied', 'AccessDeniedException'];
const NO_SUCH_SUBNET: readonly string[] = ['InvalidSubnetID.NotFound', 'InvalidSubnetID.Malformed'];

export class Ec2InstanceMarket implements InstanceMarket {
  readonly #client: EC2Client;
  readonly #patienceMilliseconds: number;

  constructor(client: EC2Client, patienceMilliseconds = PATIENCE_MILLISECONDS) {
    this.#client = client;
    this.#patienceMilliseconds = patienceMilliseconds;
  }

  async offers(instanceTypes: readonly string[], subnetIds: readonly string[]): Promise<InstanceOffers> {
    const abortSignal = AbortSignal.timeout(this.#patienceMilliseconds);
    try {
      const [zones, subnetZones] = await Promise.all([
        this.#zonesOf(instanceTypes, abortSignal),
        this.#subnetZones(subnetIds, abortSignal),
      ]);
      return { zones, subnetZones };
    } catch (error) {
      throw withRemedy(error);
    }
  }

  async #zonesOf(
    instanceTypes: readonly string[],
    abortSignal: AbortSignal,
  ): Promise<ReadonlyMap<string, readonly string[]>> {
    const zones = new Map<string, string[]>();
    const pages = paginateDescribeInstanceTypeOfferings(
      { client: this.#client },
      {
        LocationType: 'availability-zone',
        Filters: [{ Name: 'instance-type', Values: [...instanceTypes] }],
      },
      { abortSignal },
    );
    for await (const page of pages) {
      for (const { InstanceType, Location } of page.InstanceTypeOfferings ?? []) {
        if (InstanceType === undefined || Location === undefined) continue;
        zones.set(InstanceType, [...(zones.get(InstanceType) ?? []), Location]);
      }
    }
    return zones;
  }

  async #subnetZones(subnetIds: readonly string[], abortSignal: AbortSignal): Promise<readonly string[]> {
    const command = new DescribeSubnetsCommand({ SubnetIds: [...subnetIds] });
    const { Subnets = [] } = await this.#client.send(command, { abortSignal });
    return [...new Set(Subnets.flatMap(({ AvailabilityZone }) => AvailabilityZone ?? []))];
  }
}

/** What a retry does not fix is a mistake of the deployment; every other error is passed on as it is. */
function withRemedy(error: unknown): unknown {
  if (!(error instanceof EC2ServiceException)) return error;
  if (DENIALS.includes(error.name)) {
    return new PipelineError(
      'InvalidConfiguration',
      `The Lambda may not ask EC2 which instance types are sold: ${error.message}\nIts role needs ` +
        'ec2:DescribeInstanceTypeOfferings and ec2:DescribeSubnets: deploy again, or have the permissions boundary ' +
        "or the organization's policy that denies them changed.",
    );
  }
  if (NO_SUCH_SUBNET.includes(error.name)) {
    return new PipelineError(
      'InvalidConfiguration',
      `EC2 does not know a subnet of the cluster: ${error.message}\nCorrect churn:subnetIds and deploy again.`,
    );
  }
  return error;
}
