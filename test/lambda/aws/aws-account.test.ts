import { DescribeInstancesCommand, DescribeSubnetsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { GetRoleCommand, IAMClient, NoSuchEntityException } from '@aws-sdk/client-iam';
import {
  GetAWSDefaultServiceQuotaCommand,
  GetServiceQuotaCommand,
  NoSuchResourceException,
  ServiceQuotasClient,
} from '@aws-sdk/client-service-quotas';
import { mockClient } from 'aws-sdk-client-mock';
import { expect, it } from 'vitest';
import { AwsAccount } from '../../../lambda/aws/aws-account.ts';

const region = 'eu-central-1';

function account() {
  const clients = {
    quotas: new ServiceQuotasClient({ region }),
    ec2: new EC2Client({ region }),
    iam: new IAMClient({ region }),
  };
  return {
    account: new AwsAccount(clients),
    quotas: mockClient(clients.quotas),
    ec2: mockClient(clients.ec2),
    iam: mockClient(clients.iam),
  };
}

const cpus = (CoreCount: number, ThreadsPerCore: number) => ({ CpuOptions: { CoreCount, ThreadsPerCore } });

it('reads both quotas, and counts the vCPUs of standard instances on all pages', async () => {
  const { account: asked, quotas, ec2 } = account();
  quotas
    .on(GetServiceQuotaCommand, { ServiceCode: 'ec2', QuotaCode: 'L-1216C47A' })
    .resolves({ Quota: { Value: 64 } })
    .on(GetServiceQuotaCommand, { ServiceCode: 'ec2', QuotaCode: 'L-34B43A08' })
    .rejects(new NoSuchResourceException({ message: 'never changed', $metadata: {} }))
    .on(GetAWSDefaultServiceQuotaCommand, { ServiceCode: 'ec2', QuotaCode: 'L-34B43A08' })
    .resolves({ Quota: { Value: 5 } });
  ec2
    .on(DescribeInstancesCommand)
    .resolvesOnce({
      NextToken: 'more',
      Reservations: [
        { Instances: [{ InstanceType: 'm7g.xlarge', ...cpus(4, 1) }] },
        { Instances: [{ InstanceType: 'g5.xlarge', ...cpus(2, 2) }] },
      ],
    })
    .resolves({
      Reservations: [
        {
          Instances: [
            { InstanceType: 'c5.2xlarge', ...cpus(4, 2) },
            { InstanceType: 'r6g.xlarge', InstanceLifecycle: 'spot', ...cpus(4, 1) },
          ],
        },
      ],
    });
  expect(await asked.quotas()).toEqual({
    onDemand: { vcpus: 64, inUse: 12 },
    spot: { vcpus: 5, inUse: 4 },
  });
  expect(ec2.commandCalls(DescribeInstancesCommand)[0]?.args[0].input.Filters).toEqual([
    { Name: 'instance-state-name', Values: ['pending', 'running'] },
  ]);
});

it('does not take a missing answer for a quota', async () => {
  const { account: asked, quotas, ec2 } = account();
  ec2.on(DescribeInstancesCommand).resolves({});
  quotas.on(GetServiceQuotaCommand).resolves({});
  await expect(asked.quotas()).rejects.toThrow(/names no value/);
  const denied = Object.assign(new Error('denied'), { name: 'AccessDeniedException' });
  quotas.on(GetServiceQuotaCommand).rejects(denied);
  await expect(asked.quotas()).rejects.toThrow('denied');
});

it('tells a role that does not exist from one that it may not see', async () => {
  const { account: asked, iam } = account();
  const role = { name: 'AWSServiceRoleForEC2Spot' };
  iam.on(GetRoleCommand, { RoleName: role.name }).resolves({});
  expect(await asked.hasServiceLinkedRole(role)).toBe(true);
  iam.on(GetRoleCommand).rejects(new NoSuchEntityException({ message: 'no such role', $metadata: {} }));
  expect(await asked.hasServiceLinkedRole(role)).toBe(false);
  iam.on(GetRoleCommand).rejects(Object.assign(new Error('denied'), { name: 'AccessDenied' }));
  await expect(asked.hasServiceLinkedRole(role)).rejects.toThrow('denied');
});

it('names the subnets without the tag, or with another value of it', async () => {
  const { account: asked, ec2 } = account();
  const Key = 'for-use-with-amazon-emr-managed-policies';
  ec2.on(DescribeSubnetsCommand, { SubnetIds: ['subnet-1', 'subnet-2', 'subnet-3'] }).resolves({
    Subnets: [
      { SubnetId: 'subnet-1', Tags: [{ Key, Value: 'true' }] },
      { SubnetId: 'subnet-2', Tags: [{ Key, Value: 'false' }] },
      { SubnetId: 'subnet-3' },
    ],
  });
  expect(await asked.untaggedSubnets(['subnet-1', 'subnet-2', 'subnet-3'])).toEqual(['subnet-2', 'subnet-3']);
});
