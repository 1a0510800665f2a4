/** What a run of a deployed pipeline would do, with the user's own credentials. */
import type { RunRequest } from '../../../domain/run.ts';
import { AwsAccount } from '../../../lambda/aws/aws-account.ts';
import { Ec2InstanceMarket } from '../../../lambda/aws/ec2-instance-market.ts';
import { S3Objects } from '../../../lambda/aws/s3-objects.ts';
import { systemClock } from '../../../lambda/ports/clock.ts';
import type { Ports } from '../../../lambda/ports/ports.ts';
import { type DryRun, DryRunObjects, dryRun } from '../../../lambda/start-training/dry-run.ts';
import { type DoctorClients, doctorClients } from './doctor/clients.ts';
import { readFacts } from './doctor/facts.ts';
import { withRemedy } from './errors.ts';
import { regionOf } from './names.ts';

/** @throws DeployedError if the deployment cannot be read */
export async function dryRunDeployed(
  stateMachineArn: string,
  request: RunRequest,
  clients: DoctorClients = doctorClients(regionOf(stateMachineArn)),
): Promise<DryRun> {
  const { deployment } = await readFacts(stateMachineArn, clients);
  try {
    return await dryRun(request, portsOf(clients, deployment.lakeRoot), deployment);
  } catch (error) {
    throw withRemedy(error);
  }
}

function portsOf(clients: DoctorClients, lakeRoot: string): Ports {
  const unused = (): never => {
    throw new Error('a dry run only lists and reads');
  };
  return {
    objects: new DryRunObjects(new S3Objects(clients.s3), lakeRoot),
    account: new AwsAccount(clients),
    instanceMarket: new Ec2InstanceMarket(clients.ec2),
    log: { warn: (text) => void process.stderr.write(`${text}\n`) },
    clock: systemClock,
    get sql() {
      return unused();
    },
    get clusters() {
      return unused();
    },
    get spotPrices() {
      return unused();
    },
    get executions() {
      return unused();
    },
    get notifications() {
      return unused();
    },
  };
}
