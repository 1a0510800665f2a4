/**
 * Security groups of the cluster, with every rule that EMR needs for a private subnet. EMR would add a missing
 * rule itself, and the group could then not be deleted. Rules are resources of their own, since the groups name each other.
 */
import {
  CfnSecurityGroupEgress,
  CfnSecurityGroupIngress,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
} from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';

interface Traffic {
  readonly ipProtocol: 'tcp' | 'udp' | 'icmp';
  readonly fromPort: number;
  readonly toPort: number;
}

const ALL_TRAFFIC: readonly Traffic[] = [
  { ipProtocol: 'tcp', fromPort: 0, toPort: 65_535 },
  { ipProtocol: 'udp', fromPort: 0, toPort: 65_535 },
  { ipProtocol: 'icmp', fromPort: -1, toPort: -1 },
];
const tcp = (port: number): readonly Traffic[] => [{ ipProtocol: 'tcp', fromPort: port, toPort: port }];

/**
 * EMR reaches its agents on the one, and the instances reach EMR on the other. AWS's page on managed security groups asks
 * for the second from core and task instances too, up to EMR 7.x.
 */
const AGENT_PORT = 8443;
const SERVICE_PORT = 9443;

type Member = 'primary' | 'workers' | 'serviceAccess';

interface Rule {
  readonly from: Member;
  readonly to: Member;
  readonly traffic: readonly Traffic[];
  readonly why: string;
}

const RULES: readonly Rule[] = [
  { from: 'primary', to: 'primary', traffic: ALL_TRAFFIC, why: 'daemons of the primary among themselves' },
  { from: 'workers', to: 'primary', traffic: ALL_TRAFFIC, why: 'workers to YARN, HDFS and the driver' },
  { from: 'primary', to: 'workers', traffic: ALL_TRAFFIC, why: 'YARN, HDFS and the driver to workers' },
  { from: 'workers', to: 'workers', traffic: ALL_TRAFFIC, why: 'shuffle' },
  { from: 'serviceAccess', to: 'primary', traffic: tcp(AGENT_PORT), why: 'EMR to its agents' },
  { from: 'serviceAccess', to: 'workers', traffic: tcp(AGENT_PORT), why: 'EMR to its agents' },
  { from: 'primary', to: 'serviceAccess', traffic: tcp(SERVICE_PORT), why: 'the primary to EMR' },
  { from: 'workers', to: 'serviceAccess', traffic: tcp(SERVICE_PORT), why: 'workers to EMR' },
];

export interface ClusterSecurityGroupsProps {
  readonly vpc: IVpc;
  /**
   * What port 443 leads to, for whoever reads the rule.
   * @default S3 and the interface endpoints of an isolated network
   */
  readonly leadsTo?: string;
}

/** Port 443 leads out of the cluster; nothing else does. */
export class ClusterSecurityGroups extends Construct {
  /** Of the primary instance. */
  readonly primary: SecurityGroup;
  /** Of core and task instances. */
  readonly workers: SecurityGroup;
  /** Of EMR itself, by which it reaches the instances. */
  readonly serviceAccess: SecurityGroup;

  constructor(scope: Construct, id: string, props: ClusterSecurityGroupsProps) {
    super(scope, id);
    const { vpc, leadsTo = 'S3 gateway and interface endpoints: the subnets lead nowhere else' } = props;
    const group = (name: string, description: string): SecurityGroup =>
      new SecurityGroup(this, name, { vpc, description, allowAllOutbound: false });
    this.primary = group('PrimaryGroup', 'EMR primary instance');
    this.workers = group('WorkerGroup', 'EMR core and task instances');
    this.serviceAccess = group('ServiceAccessGroup', 'EMR service access');
    for (const rule of RULES) this.#addRule(rule);
    for (const member of [this.primary, this.workers]) {
      member.addEgressRule(Peer.anyIpv4(), Port.tcp(443), leadsTo);
    }
  }

  #addRule({ from, to, traffic, why }: Rule): void {
    for (const flow of traffic) {
      const id = `${from}-${to}-${flow.ipProtocol}`;
      new CfnSecurityGroupIngress(this, `In-${id}`, {
        ...flow,
        description: why,
        groupId: this[to].securityGroupId,
        sourceSecurityGroupId: this[from].securityGroupId,
      });
      new CfnSecurityGroupEgress(this, `Out-${id}`, {
        ...flow,
        description: why,
        groupId: this[from].securityGroupId,
        destinationSecurityGroupId: this[to].securityGroupId,
      });
    }
  }
}
