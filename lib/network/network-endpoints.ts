/** What the isolated subnets reach: S3, Glue and KMS, and nothing else. */
import { Aws, CfnCondition, Fn } from 'aws-cdk-lib';
import {
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  type ISecurityGroup,
  type IVpc,
  Port,
  SecurityGroup,
} from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { s3EndpointStatements } from './s3-endpoint-statements.ts';

export interface NetworkEndpointsProps {
  readonly vpc: IVpc;
  /** Security groups whose members may call Glue and KMS. */
  readonly clients: readonly ISecurityGroup[];
}

/** Glue is the catalog; the instances themselves call KMS for the encryption of their local disks. */
const INTERFACES = {
  Glue: InterfaceVpcEndpointAwsService.GLUE,
  Kms: InterfaceVpcEndpointAwsService.KMS,
} as const;

/** The endpoints themselves become children of the VPC, as CDK makes them, and carry its name. */
export class NetworkEndpoints extends Construct {
  constructor(scope: Construct, id: string, { vpc, clients }: NetworkEndpointsProps) {
    super(scope, id);
    const s3 = vpc.addGatewayEndpoint('S3', { service: GatewayVpcEndpointAwsService.S3 });
    for (const statement of s3EndpointStatements(emrLogBucket(this))) s3.addToPolicy(statement);
    const group = new SecurityGroup(this, 'Group', {
      vpc,
      description: 'Interface endpoints',
      allowAllOutbound: false,
    });
    for (const client of clients) group.addIngressRule(client, Port.tcp(443), 'Instances of the cluster');
    for (const [name, service] of Object.entries(INTERFACES)) {
      vpc.addInterfaceEndpoint(name, {
        service,
        subnets: { subnets: vpc.isolatedSubnets },
        securityGroups: [group],
        privateDnsEnabled: true,
        open: false,
      });
    }
  }
}

/** The bucket's name contains the Region, except in the oldest one. */
function emrLogBucket(scope: Construct): string {
  const oldest = new CfnCondition(scope, 'IsOldestRegion', {
    expression: Fn.conditionEquals(Aws.REGION, 'us-east-1'),
  });
  return Fn.conditionIf(oldest.logicalId, 'aws157-logs-prod', `aws157-logs-prod-${Aws.REGION}`).toString();
}
