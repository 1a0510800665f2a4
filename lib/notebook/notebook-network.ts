/** The network of the notebook: private subnets with a way out to Git and to packages, apart from the pipeline's. */
import {
  FlowLogDestination,
  GatewayVpcEndpointAwsService,
  IpAddresses,
  type IVpc,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { asVpc } from '../cdk-interfaces.ts';

export interface NotebookNetworkProps {
  /** Addresses of the whole network, such as `10.72.0.0/20`. */
  readonly cidr: string;
  /** Takes the flow log. */
  readonly flowLogs: ILogGroup;
}

const ZONES = 2;

/**
 * One NAT gateway for all zones: it is what the stack costs by the hour, and a notebook survives the loss of a zone by being
 * opened again. S3 is reached by a gateway endpoint, which costs nothing. The stack has to name its zones, or CDK looks them
 * up.
 */
export class NotebookNetwork extends Construct {
  readonly vpc: IVpc;
  readonly subnetIds: readonly [string, ...string[]];

  constructor(scope: Construct, id: string, { cidr, flowLogs }: NotebookNetworkProps) {
    super(scope, id);
    const vpc = new Vpc(this, 'Default', {
      ipAddresses: IpAddresses.cidr(cidr),
      maxAzs: ZONES,
      natGateways: 1,
      subnetConfiguration: [
        { name: 'public', subnetType: SubnetType.PUBLIC, mapPublicIpOnLaunch: false, cidrMask: 26 },
        { name: 'notebook', subnetType: SubnetType.PRIVATE_WITH_EGRESS },
      ],
      // As in the cluster's network: emptying the default group takes a custom resource with wide permissions.
      restrictDefaultSecurityGroup: false,
    });
    vpc.addGatewayEndpoint('S3', { service: GatewayVpcEndpointAwsService.S3 });
    vpc.addFlowLog('FlowLog', { destination: FlowLogDestination.toCloudWatchLogs(flowLogs) });
    const [first, ...others] = vpc.privateSubnets.map(({ subnetId }) => subnetId);
    if (first === undefined) throw new Error('The network of the notebook has no private subnet.');
    this.vpc = asVpc(vpc);
    this.subnetIds = [first, ...others];
  }
}
