/** The subnets of the cluster in the emulated account, tagged as EMR asks. */
import { CreateSubnetCommand, CreateVpcCommand, EC2Client } from '@aws-sdk/client-ec2';
import { MANAGED_POLICY_TAG } from '../../../domain/operations.ts';
import { type AwsEnvironment, clientOptions } from './aws-request.ts';

const ZONES = ['us-east-1a', 'us-east-1b'];

/** @returns their ids */
export async function createSubnets(environment: AwsEnvironment): Promise<readonly string[]> {
  const ec2 = new EC2Client(clientOptions(environment));
  const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: '10.0.0.0/16' }));
  const ids: string[] = [];
  for (const [index, zone] of ZONES.entries()) {
    const { Subnet } = await ec2.send(
      new CreateSubnetCommand({
        VpcId: Vpc?.VpcId,
        CidrBlock: `10.0.${index}.0/24`,
        AvailabilityZone: zone,
        TagSpecifications: [
          {
            ResourceType: 'subnet',
            Tags: [{ Key: MANAGED_POLICY_TAG.key, Value: MANAGED_POLICY_TAG.value }],
          },
        ],
      }),
    );
    ids.push(Subnet?.SubnetId ?? '');
  }
  return ids;
}
