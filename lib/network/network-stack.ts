/** The cluster's network: isolated subnets that reach S3, Glue and KMS by endpoints, and nothing else. */
import { Stack, type StackProps, Tags } from 'aws-cdk-lib';
import { type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { MANAGED_POLICY_TAG } from '../../domain/operations.ts';
import type { Configuration } from '../configuration.ts';
import { LOG_GROUP_NAMES, PipelineLogGroup } from '../pipeline-log-group.ts';
import { ClusterNetwork, clusterZones } from './cluster-network.ts';
import { ClusterSecurityGroups } from './cluster-security-groups.ts';
import { NetworkEndpoints } from './network-endpoints.ts';

export interface NetworkStackProps extends StackProps {
  readonly configuration: Configuration;
  readonly key: IKey;
}

/** What a cluster uses of the network. */
export interface Network {
  readonly subnetIds: readonly string[];
  readonly securityGroups: Pick<ClusterSecurityGroups, 'primary' | 'workers' | 'serviceAccess'>;
}

/** Makes a network, or only the security groups where the configuration names an existing VPC. */
export class NetworkStack extends Stack implements Network {
  readonly subnetIds: readonly string[];
  readonly securityGroups: ClusterSecurityGroups;

  constructor(scope: Construct, id: string, props: NetworkStackProps) {
    super(scope, id, props);
    const { vpcId, subnetIds = [] } = props.configuration;
    if (vpcId === undefined) {
      const network = this.#isolatedNetwork(props);
      this.subnetIds = network.subnetIds;
      this.securityGroups = this.#groups(network.vpc);
      new NetworkEndpoints(this, 'Endpoints', {
        vpc: network.vpc,
        clients: [this.securityGroups.primary, this.securityGroups.workers],
      });
    } else {
      this.subnetIds = subnetIds;
      const { availabilityZones } = this;
      this.securityGroups = this.#groups(Vpc.fromVpcAttributes(this, 'Vpc', { vpcId, availabilityZones }));
    }
    Tags.of(this).add(MANAGED_POLICY_TAG.key, MANAGED_POLICY_TAG.value);
  }

  override get availabilityZones(): string[] {
    return clusterZones();
  }

  #isolatedNetwork({ configuration, key }: NetworkStackProps): ClusterNetwork {
    const { logGroup } = new PipelineLogGroup(this, 'FlowLogs', {
      configuration,
      key,
      name: LOG_GROUP_NAMES.network(configuration.prefix),
    });
    return new ClusterNetwork(this, 'Vpc', { cidr: configuration.vpcCidr, flowLogs: logGroup });
  }

  #groups(vpc: IVpc): ClusterSecurityGroups {
    return new ClusterSecurityGroups(this, 'SecurityGroups', { vpc });
  }
}
