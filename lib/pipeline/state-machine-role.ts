/** What the roles of both state machines have in common: who may assume them, logs and traces. */
import { Aws } from 'aws-cdk-lib';
import { type IRole, Policy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

export interface StateMachineRoleProps {
  readonly description: string;
  /** What it may do besides writing logs and traces. */
  readonly statements: readonly PolicyStatement[];
}

export class StateMachineRole extends Construct {
  /** Takes no further statements: CDK's tasks would add permissions on every cluster, bucket and table. */
  readonly role: IRole;
  /** The state machine must not be made before its policy. */
  readonly policy: Policy;

  constructor(scope: Construct, id: string, { description, statements }: StateMachineRoleProps) {
    super(scope, id);
    const role = new Role(this, 'Default', {
      assumedBy: new ServicePrincipal('states.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
      description,
    });
    this.policy = new Policy(this, 'Policy', {
      roles: [role],
      statements: [...statements, writeLogsAndTraces()],
    });
    this.role = role.withoutPolicyUpdates();
  }
}

/** Deliveries of logs and trace segments have no resource to name. */
function writeLogsAndTraces(): PolicyStatement {
  return new PolicyStatement({
    sid: 'WriteLogsAndTraces',
    actions: [
      'logs:CreateLogDelivery',
      'logs:GetLogDelivery',
      'logs:UpdateLogDelivery',
      'logs:DeleteLogDelivery',
      'logs:ListLogDeliveries',
      'logs:PutResourcePolicy',
      'logs:DescribeResourcePolicies',
      'logs:DescribeLogGroups',
      'xray:PutTraceSegments',
      'xray:PutTelemetryRecords',
      'xray:GetSamplingRules',
      'xray:GetSamplingTargets',
    ],
    resources: ['*'],
  });
}
