/** The two security groups that EMR Studio puts between its workspaces and a cluster. */
import { type IVpc, Peer, Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';

export interface StudioSecurityGroupsProps {
  readonly vpc: IVpc;
}

/** On it a workspace reaches the kernels of the cluster. */
const KERNEL_PORT = Port.tcp(18_888);

export class StudioSecurityGroups extends Construct {
  /** Studio adds it to the primary instance of a cluster when a workspace attaches to it. */
  readonly engine: SecurityGroup;
  /** Of the workspaces themselves. */
  readonly workspace: SecurityGroup;

  constructor(scope: Construct, id: string, { vpc }: StudioSecurityGroupsProps) {
    super(scope, id);
    const group = (name: string, description: string): SecurityGroup =>
      new SecurityGroup(this, name, { vpc, description, allowAllOutbound: false });
    this.engine = group('Engine', 'EMR Studio: clusters that workspaces attach to');
    this.workspace = group('Workspace', 'EMR Studio: workspaces');
    this.engine.addIngressRule(this.workspace, KERNEL_PORT, 'Workspaces to the kernels');
    this.workspace.addEgressRule(this.engine, KERNEL_PORT, 'Workspaces to the kernels');
    this.workspace.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'Linked Git repositories');
  }
}
