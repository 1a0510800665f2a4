/** The first state's look at the account, before anything costs money. */
import { beforeEach, describe, expect, it } from 'vitest';
import { LEASE } from '../../../domain/lake-objects.ts';
import { MemoryPorts } from '../../support/memory-ports.ts';
import { at, EVENTS, plan } from '../../support/run-fixture.ts';

let ports: MemoryPorts;

beforeEach(() => {
  ports = new MemoryPorts();
  ports.objects.put(`${EVENTS}/2018-10-01.json`, 'events');
});

describe('a start', () => {
  it('is refused when the on-demand quota is too small, with the number to ask for', async () => {
    ports.account.quota.onDemand.vcpus = 5;
    const start = plan(ports, 'run-1');
    await expect(start).rejects.toMatchObject({ name: 'AccountNotReady' });
    await expect(start).rejects.toThrow(
      /L-1216C47A allows 5 vCPUs, 0 are in use.*needs 12; ask for 12 vCPUs/,
    );
  });

  it('leaves neither the lease nor a batch nor a plan behind when it is refused', async () => {
    ports.account.missingRoles.add('AWSServiceRoleForEMRCleanup');
    await expect(plan(ports, 'run-1')).rejects.toThrow(/AWSServiceRoleForEMRCleanup: does not exist/);
    const left = ports.objects.uris().filter((uri) => uri !== at(LEASE.key));
    expect(left).toEqual([`${EVENTS}/2018-10-01.json`]);
    ports.account.missingRoles.clear();
    expect(await plan(ports, 'run-2')).toMatchObject({ decision: 'run' });
  });

  it('is refused when EMR may use none of the subnets', async () => {
    ports.account.untagged.add('subnet-1').add('subnet-2');
    await expect(plan(ports, 'run-1')).rejects.toMatchObject({ name: 'AccountNotReady' });
  });

  it('names everything that is missing at once', async () => {
    ports.account.quota.onDemand.vcpus = 5;
    ports.account.quota.spot.vcpus = 0;
    ports.account.missingRoles.add('AWSServiceRoleForEMRCleanup');
    await expect(plan(ports, 'run-1')).rejects.toThrow(/L-1216C47A[\s\S]*L-34B43A08[\s\S]*EMRCleanup/);
  });

  it('goes on with a warning when what is missing does not fail it for sure', async () => {
    ports.account.quota.spot.vcpus = 0;
    ports.account.missingRoles.add('AWSServiceRoleForEC2Spot');
    ports.account.untagged.add('subnet-2');
    expect(await plan(ports, 'run-1')).toMatchObject({ decision: 'run' });
    expect(ports.warnings).toEqual([
      expect.stringMatching(/L-34B43A08 allows 0/),
      expect.stringMatching(/AWSServiceRoleForEC2Spot/),
      expect.stringMatching(/subnet-2/),
    ]);
  });

  it('goes on with a warning for each question without an answer', async () => {
    ports.before = (call) => {
      if (call.startsWith('account')) throw new Error('throttled');
    };
    expect(await plan(ports, 'run-1')).toMatchObject({ decision: 'run' });
    expect(ports.warnings).toHaveLength(4);
    for (const warning of ports.warnings)
      expect(warning).toMatch(/not known whether .*the run goes on: .*throttled/);
  });

  it('still counts the other answers when one is missing', async () => {
    ports.before = (call) => {
      if (call === 'account.quotas') throw new Error('throttled');
    };
    ports.account.missingRoles.add('AWSServiceRoleForEMRCleanup');
    await expect(plan(ports, 'run-1')).rejects.toMatchObject({ name: 'AccountNotReady' });
  });

  it('does not ask when there is nothing to do', async () => {
    ports = new MemoryPorts();
    ports.account.quota.onDemand.vcpus = 0;
    await expect(plan(ports, 'run-1')).rejects.toMatchObject({ name: 'NoEventFiles' });
  });
});

it('a resumed run is refused as a new one is', async () => {
  await plan(ports, 'run-1');
  ports.executions.set('run-1', 'FAILED');
  ports.account.quota.onDemand.vcpus = 5;
  await expect(plan(ports, 'run-2', { resume: 'run-1' })).rejects.toMatchObject({ name: 'AccountNotReady' });
});
