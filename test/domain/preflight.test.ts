import { describe, expect, it } from 'vitest';
import {
  findingText,
  isStandardInstance,
  quotaFindings,
  roleFinding,
  SERVICE_LINKED_ROLES,
  subnetTagFinding,
  vcpusNeeded,
} from '../../domain/preflight.ts';

const NEEDED = { onDemand: 12, spot: 4 };
const quotas = (onDemand: number, spot: number, inUse = { onDemand: 0, spot: 0 }) =>
  quotaFindings(
    NEEDED,
    {
      onDemand: { vcpus: onDemand, inUse: inUse.onDemand },
      spot: { vcpus: spot, inUse: inUse.spot },
    },
    'eu-central-1',
  );
const statuses = (...args: Parameters<typeof quotas>) =>
  quotas(...args).map(({ status, stopsRuns }) => [status, stopsRuns]);

it('a cluster needs four vCPUs for the primary and for each unit', () => {
  expect(vcpusNeeded({ coreUnits: 2, taskUnits: 1 })).toEqual(NEEDED);
});

describe('quotas', () => {
  it('suffice to the last vCPU', () => {
    expect(statuses(12, 4)).toEqual([
      ['ok', false],
      ['ok', false],
    ]);
    expect(statuses(20, 8, { onDemand: 8, spot: 4 })).toEqual([
      ['ok', false],
      ['ok', false],
    ]);
  });

  it('stop every run when one vCPU is missing on demand', () => {
    expect(statuses(11, 4)[0]).toEqual(['problem', true]);
    expect(statuses(19, 4, { onDemand: 8, spot: 0 })[0]).toEqual(['problem', true]);
  });

  it('do not stop a run on spot, because EMR takes on-demand instances instead', () => {
    expect(statuses(16, 3)[1]).toEqual(['problem', false]);
    expect(quotas(16, 3)[1]?.found).toMatch(
      /takes on-demand instances instead after churn:spotTimeoutMinutes/,
    );
    expect(quotas(15, 3)[1]?.found).toMatch(/on demand, .* 16 vCPUs would have to be allowed \(L-1216C47A\)/);
  });

  it('are named with their code, their value, what is in use, what is needed, and the number to ask for', () => {
    const text = quotas(5, 4, { onDemand: 2, spot: 0 }).map(findingText)[0];
    expect(text).toMatch(/L-1216C47A allows 5 vCPUs, 2 are in use, and the cluster needs 12/);
    expect(text).toMatch(
      /ask for 14 vCPUs .*--quota-code L-1216C47A --desired-value 14 --region eu-central-1/,
    );
    expect(text).not.toMatch(/wait until/);
  });

  it('that are only taken by others may also be waited for', () => {
    expect(quotas(16, 4, { onDemand: 8, spot: 0 })[0]?.whatToDo).toMatch(/or wait until other instances/);
  });
});

it.each([
  ['m7g.xlarge', true],
  ['r6g.xlarge', true],
  ['t3.micro', true],
  ['im4gn.large', true],
  ['z1d.large', true],
  ['inf2.xlarge', false],
  ['trn1.2xlarge', false],
  ['dl1.24xlarge', false],
  ['hpc7g.4xlarge', false],
  ['mac2.metal', false],
  ['g5.xlarge', false],
  ['p4d.24xlarge', false],
  ['x2gd.xlarge', false],
  ['u-6tb1.metal', false],
  ['', false],
])('%s counts towards the quotas of standard instances: %s', (type, counts) => {
  expect(isStandardInstance(type)).toBe(counts);
});

it.each(SERVICE_LINKED_ROLES)('the role $name is missed with how to create it', (role) => {
  expect(roleFinding(role, true)).toMatchObject({ status: 'ok', whatToDo: '' });
  expect(roleFinding(role, false)).toMatchObject({
    status: 'problem',
    stopsRuns: role.name === 'AWSServiceRoleForEMRCleanup',
    whatToDo: expect.stringContaining(`--aws-service-name ${role.service}`),
  });
});

describe('subnets without the tag of EMR', () => {
  const subnets = ['subnet-1', 'subnet-2'];

  it('stop every run when there is no other', () => {
    expect(subnetTagFinding(subnets, subnets)).toMatchObject({ status: 'problem', stopsRuns: true });
  });

  it('are named, with the command that tags them', () => {
    const finding = subnetTagFinding(subnets, ['subnet-2']);
    expect(finding).toMatchObject({ status: 'problem', stopsRuns: false });
    expect(findingText(finding)).toMatch(
      /subnet-2 lack.*--resources subnet-2 --tags Key=for-use-with-amazon-emr-managed-policies,Value=true/,
    );
  });

  it('are no problem where there is none', () => {
    expect(subnetTagFinding(subnets, [])).toMatchObject({ status: 'ok' });
  });
});
