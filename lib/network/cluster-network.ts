/** The network of the cluster: isolated subnets in two zones, and a log of its traffic. */
import { Fn } from 'aws-cdk-lib';
import { FlowLogDestination, IpAddresses, type IVpc, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { asVpc } from '../cdk-interfaces.ts';

export interface ClusterNetworkProps {
  /** Addresses of the whole network, such as `10.71.0.0/20`. */
  readonly cidr: string;
  /** Takes the flow log. */
  readonly flowLogs: ILogGroup;
}

const ZONES = 2;

/** Availability zones by position: looking them up would need the account at synth time. */
export function clusterZones(): string[] {
  return Array.from({ length: ZONES }, (_, index) => Fn.select(index, Fn.getAzs()));
}

/**
 * No internet gateway and no NAT: what the instances may reach, `NetworkEndpoints` adds. The stack has to name its zones
 * with `clusterZones`, or CDK looks them up.
 */
export class ClusterNetwork extends Construct {
  readonly vpc: IVpc;
  readonly subnetIds: readonly string[];

  constructor(scope: Construct, id: string, { cidr, flowLogs }: ClusterNetworkProps) {
    super(scope, id);
    const vpc = new Vpc(this, 'Default', {
      ipAddresses: IpAddresses.cidr(cidr),
      maxAzs: ZONES,
      natGateways: 0,
      subnetConfiguration: [{ name: 'cluster', subnetType: SubnetType.PRIVATE_ISOLATED }],
      // Emptying the default group takes a custom resource with wide permissions; nothing is ever put into that group.
      restrictDefaultSecurityGroup: false,
    });
    vpc.addFlowLog('FlowLog', { destination: FlowLogDestination.toCloudWatchLogs(flowLogs) });
    this.vpc = asVpc(vpc);
    this.subnetIds = vpc.isolatedSubnets.map(({ subnetId }) => subnetId);
  }
}
