/** What every state machine's role has: who may take it on, logs and traces. */
import { Aws } from 'aws-cdk-lib';
import { Policy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';

/** A role, and its policy, which the state machine must wait for. */
export interface StateMachineRole {
  readonly role: Role;
  readonly policy: Policy;
}

export interface StateMachineRoleProps {
  readonly description: string;
  /** What it may do besides writing logs and traces. */
  readonly statements: readonly PolicyStatement[];
}

/** Makes the role, and its policy. */
export function stateMachineRole(
  scope: Construct,
  id: string,
  { description, statements }: StateMachineRoleProps,
): StateMachineRole {
  const role = new Role(scope, id, {
    assumedBy: new ServicePrincipal('states.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
    }),
    description,
  });
  const policy = new Policy(scope, `${id}Policy`, {
    roles: [role],
    statements: [...statements, writeLogsAndTraces()],
  });
  return { role, policy };
}

/** Reading and writing what the key encrypts. */
export function useKey(key: IKey): PolicyStatement {
  return new PolicyStatement({
    sid: 'UseTheKey',
    actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
    resources: [key.keyArn],
  });
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
