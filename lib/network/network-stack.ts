/** The cluster's network: isolated subnets that reach S3, Glue and KMS by endpoints, and nothing else. */
import { Aws, CfnCondition, Fn, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  type GatewayVpcEndpoint,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  IpAddresses,
  type IVpc,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { AnyPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { asVpc } from '../cdk-interfaces.ts';
import type { Configuration } from '../configuration.ts';
import { LOG_GROUP_NAMES, pipelineLogGroup } from '../log-groups.ts';
import { type ClusterSecurityGroups, clusterSecurityGroups, MANAGED_POLICY_TAG } from './security-groups.ts';

export interface NetworkStackProps extends StackProps {
  readonly configuration: Configuration;
  readonly key: IKey;
}

const ZONES = 2;
/** What S3's clients call to write an object, into a bucket of another account too. */
const WRITE = ['s3:PutObject', 's3:PutObjectAcl', 's3:PutObjectTagging'];

export class NetworkStack extends Stack {
  readonly subnetIds: readonly string[];
  readonly securityGroups: ClusterSecurityGroups;

  constructor(scope: Construct, id: string, props: NetworkStackProps) {
    super(scope, id, props);
    const { configuration } = props;
    if (configuration.vpcId === undefined) {
      const vpc = this.isolatedNetwork(props);
      this.subnetIds = vpc.isolatedSubnets.map(({ subnetId }) => subnetId);
      this.securityGroups = clusterSecurityGroups(this, vpc);
      this.endpoints(vpc);
    } else {
      const { vpcId, subnetIds = [] } = configuration;
      this.subnetIds = subnetIds;
      this.securityGroups = clusterSecurityGroups(
        this,
        Vpc.fromVpcAttributes(this, 'Vpc', { vpcId, availabilityZones: this.availabilityZones }),
      );
    }
    Tags.of(this).add(MANAGED_POLICY_TAG.key, MANAGED_POLICY_TAG.value);
  }

  /** Zones by position: looking them up would need the account at synth time. */
  override get availabilityZones(): string[] {
    return Array.from({ length: ZONES }, (_, index) => Fn.select(index, Fn.getAzs()));
  }

  private isolatedNetwork({ configuration, key }: NetworkStackProps): IVpc {
    const vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr(configuration.vpcCidr),
      maxAzs: ZONES,
      natGateways: 0,
      subnetConfiguration: [{ name: 'cluster', subnetType: SubnetType.PRIVATE_ISOLATED }],
      // Emptying the default group takes a custom resource with wide rights; nothing is ever put into that group.
      restrictDefaultSecurityGroup: false,
    });
    vpc.addFlowLog('FlowLog', {
      destination: FlowLogDestination.toCloudWatchLogs(
        pipelineLogGroup(this, 'FlowLogs', {
          configuration,
          key,
          name: LOG_GROUP_NAMES.network(configuration.prefix),
        }),
      ),
    });
    return asVpc(vpc);
  }

  private endpoints(vpc: IVpc): void {
    const s3 = vpc.addGatewayEndpoint('S3', { service: GatewayVpcEndpointAwsService.S3 });
    allowOwnAndSystemBuckets(s3);
    const group = new SecurityGroup(this, 'EndpointGroup', {
      vpc,
      description: 'Interface endpoints',
      allowAllOutbound: false,
    });
    for (const member of [this.securityGroups.primary, this.securityGroups.workers]) {
      group.addIngressRule(member, Port.tcp(443), 'Instances of the cluster');
    }
    // Glue is the catalog; KMS is called by the instances themselves for the encryption of their local disks.
    const services = { Glue: InterfaceVpcEndpointAwsService.GLUE, Kms: InterfaceVpcEndpointAwsService.KMS };
    for (const [id, service] of Object.entries(services)) {
      vpc.addInterfaceEndpoint(id, {
        service,
        subnets: { subnets: vpc.isolatedSubnets },
        securityGroups: [group],
        privateDnsEnabled: true,
        open: false,
      });
    }
  }
}

/** Buckets of this account, and those of AWS that EMR's page on private subnets asks for. */
function allowOwnAndSystemBuckets(endpoint: GatewayVpcEndpoint): void {
  endpoint.addToPolicy(
    new PolicyStatement({
      sid: 'BucketsOfThisAccount',
      principals: [new AnyPrincipal()],
      actions: [
        's3:GetObject',
        's3:PutObject',
        's3:DeleteObject',
        's3:ListBucket',
        's3:GetBucketLocation',
        's3:ListBucketMultipartUploads',
        's3:AbortMultipartUpload',
        's3:ListMultipartUploadParts',
      ],
      resources: ['*'],
      conditions: {
        StringEquals: { 'aws:PrincipalAccount': Aws.ACCOUNT_ID, 's3:ResourceAccount': Aws.ACCOUNT_ID },
      },
    }),
  );
  const systemBuckets = [
    {
      sid: 'RepositoriesOfAmazonLinuxAndEmr',
      actions: ['s3:GetObject'],
      buckets: [`al2023-repos-${Aws.REGION}-de612dc2`, `repo.${Aws.REGION}.emr.amazonaws.com`],
    },
    { sid: 'LogsThatEmrKeepsItself', actions: WRITE, buckets: [systemLogBucket(endpoint)] },
    {
      sid: 'HistoryServersThatEmrKeepsItself',
      actions: ['s3:GetObject', ...WRITE, 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
      buckets: [`prod.${Aws.REGION}.appinfo.src`],
    },
  ];
  for (const { sid, actions, buckets } of systemBuckets) {
    endpoint.addToPolicy(
      new PolicyStatement({
        sid,
        principals: [new AnyPrincipal()],
        actions,
        resources: buckets.map((bucket) => `arn:${Aws.PARTITION}:s3:::${bucket}/*`),
      }),
    );
  }
}

/** EMR's bucket for the logs of every cluster that keeps logs: its name has the Region but in the oldest one. */
function systemLogBucket(scope: Construct): string {
  const oldest = new CfnCondition(scope, 'IsOldestRegion', {
    expression: Fn.conditionEquals(Aws.REGION, 'us-east-1'),
  });
  return Fn.conditionIf(oldest.logicalId, 'aws157-logs-prod', `aws157-logs-prod-${Aws.REGION}`).toString();
}
