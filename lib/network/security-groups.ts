/**
 * Security groups of the cluster, with every rule that EMR needs for a private subnet. EMR would add a missing
 * rule itself, and the group could then not be deleted. Rules stand apart from their groups, as these name each other.
 */
import {
  CfnSecurityGroupEgress,
  CfnSecurityGroupIngress,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
} from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';

/** Without this tag the service role of EMR may not use a subnet or a security group. */
export const MANAGED_POLICY_TAG = { key: 'for-use-with-amazon-emr-managed-policies', value: 'true' } as const;

export interface ClusterSecurityGroups {
  readonly primary: SecurityGroup;
  /** Core and task instances. */
  readonly workers: SecurityGroup;
  readonly serviceAccess: SecurityGroup;
}

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

/** Port on which EMR reaches its agents, and on which the primary reaches EMR. */
const AGENT_PORT = 8443;
const SERVICE_PORT = 9443;

type Member = keyof ClusterSecurityGroups;
const RULES: readonly { from: Member; to: Member; traffic: readonly Traffic[]; why: string }[] = [
  { from: 'primary', to: 'primary', traffic: ALL_TRAFFIC, why: 'daemons of the primary among themselves' },
  { from: 'workers', to: 'primary', traffic: ALL_TRAFFIC, why: 'workers to YARN, HDFS and the driver' },
  { from: 'primary', to: 'workers', traffic: ALL_TRAFFIC, why: 'YARN, HDFS and the driver to workers' },
  { from: 'workers', to: 'workers', traffic: ALL_TRAFFIC, why: 'shuffle' },
  { from: 'serviceAccess', to: 'primary', traffic: tcp(AGENT_PORT), why: 'EMR to its agents' },
  { from: 'serviceAccess', to: 'workers', traffic: tcp(AGENT_PORT), why: 'EMR to its agents' },
  { from: 'primary', to: 'serviceAccess', traffic: tcp(SERVICE_PORT), why: 'the primary to EMR' },
];

/** Makes the three groups and their rules; 443 leads out to S3 and the interface endpoints, nothing else does. */
export function clusterSecurityGroups(scope: Construct, vpc: IVpc): ClusterSecurityGroups {
  const group = (id: string, description: string): SecurityGroup =>
    new SecurityGroup(scope, id, { vpc, description, allowAllOutbound: false });
  const groups: ClusterSecurityGroups = {
    primary: group('PrimaryGroup', 'EMR primary instance'),
    workers: group('WorkerGroup', 'EMR core and task instances'),
    serviceAccess: group('ServiceAccessGroup', 'EMR service access'),
  };
  for (const { from, to, traffic, why } of RULES) {
    for (const flow of traffic) {
      const id = `${from}-${to}-${flow.ipProtocol}`;
      new CfnSecurityGroupIngress(scope, `In-${id}`, {
        ...flow,
        description: why,
        groupId: groups[to].securityGroupId,
        sourceSecurityGroupId: groups[from].securityGroupId,
      });
      new CfnSecurityGroupEgress(scope, `Out-${id}`, {
        ...flow,
        description: why,
        groupId: groups[from].securityGroupId,
        destinationSecurityGroupId: groups[to].securityGroupId,
      });
    }
  }
  for (const member of [groups.primary, groups.workers]) {
    member.addEgressRule(
      Peer.anyIpv4(),
      Port.tcp(443),
      'S3 gateway and interface endpoints: the subnets lead nowhere else',
    );
  }
  return groups;
}
