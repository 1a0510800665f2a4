/** The first state's look at what EC2 sells, before anything is taken or begun. */
import { beforeEach, describe, expect, it } from 'vitest';
import { LEASE } from '../../../domain/lake-objects.ts';
import { PipelineError } from '../../../lambda/run/errors.ts';
import { MemoryPorts } from '../../support/memory-ports.ts';
import { at, EVENTS, plan } from '../../support/run-fixture.ts';

let ports: MemoryPorts;

beforeEach(() => {
  ports = new MemoryPorts();
  ports.objects.put(`${EVENTS}/2018-10-01.json`, 'events');
});

const answerWith = (error: Error) => {
  ports.before = (call) => {
    if (call.startsWith('instanceMarket')) throw error;
  };
};

describe('an instance type that the Region does not sell', () => {
  it('fails the start, naming its fleet, the Region and what to do', async () => {
    ports.instanceMarket.zones.set('r6g.xlarge', []);
    const start = plan(ports, 'run-1');
    await expect(start).rejects.toMatchObject({ name: 'InvalidConfiguration' });
    await expect(start).rejects.toThrow(
      /- r6g\.xlarge is not sold in us-east-1: take it out of churn:taskInstanceTypes, or .* deploy again/,
    );
  });

  it('is named once for each fleet that lists it', async () => {
    ports.instanceMarket.zones.set('m7g.xlarge', []);
    await expect(plan(ports, 'run-1')).rejects.toThrow(
      /churn:primaryInstanceTypes[\s\S]*churn:coreInstanceTypes/,
    );
  });

  it('leaves neither a lease nor a batch nor a plan behind', async () => {
    ports.instanceMarket.zones.set('m7g.xlarge', []);
    await expect(plan(ports, 'run-1')).rejects.toThrow();
    expect(ports.objects.uris()).toEqual([`${EVENTS}/2018-10-01.json`]);
  });
});

describe("the zones of the cluster's subnets", () => {
  it('may lack a type, as long as one zone has a type for every fleet', async () => {
    ports.instanceMarket.zones.set('m7g.xlarge', ['us-east-1b', 'us-east-1f']);
    ports.instanceMarket.zones.set('r6g.xlarge', ['us-east-1f']);
    expect(await plan(ports, 'run-1')).toMatchObject({ decision: 'run' });
  });

  it('are refused when no single zone has a type for every fleet', async () => {
    ports.instanceMarket.zones.set('m7g.xlarge', ['us-east-1a']);
    ports.instanceMarket.zones.set('m6g.xlarge', ['us-east-1b']);
    ports.instanceMarket.zones.set('r6g.xlarge', ['us-east-1b', 'us-east-1f']);
    const start = plan(ports, 'run-1');
    await expect(start).rejects.toMatchObject({ name: 'InvalidConfiguration' });
    await expect(start).rejects.toThrow(
      /no zone of the cluster's subnets \(us-east-1a, us-east-1b\).*m7g\.xlarge in us-east-1a;.*churn:subnetIds/,
    );
  });
});

describe('the query of instance types at EC2', () => {
  it('names each type once, and the subnets of the deployment', async () => {
    const asked: string[] = [];
    ports.before = (call, argument) => {
      if (call.startsWith('instanceMarket')) asked.push(argument);
    };
    await plan(ports, 'run-1');
    expect(asked).toEqual(['subnet-1,subnet-2']);
  });

  it('does not stop a run when EC2 is unavailable', async () => {
    answerWith(new Error('EC2 is down'));
    expect(await plan(ports, 'run-1')).toMatchObject({ decision: 'run' });
    expect(ports.warnings).toEqual([expect.stringMatching(/the run goes on: .*EC2 is down/)]);
  });

  it("stops a run when its permission is missing, with EC2's own message", async () => {
    answerWith(new PipelineError('InvalidConfiguration', 'The Lambda may not ask EC2'));
    await expect(plan(ports, 'run-1')).rejects.toThrow('The Lambda may not ask EC2');
    expect(ports.objects.text(at(LEASE.key))).toBeUndefined();
  });
});
