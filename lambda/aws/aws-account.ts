/** The Account port over Service Quotas, EC2 and IAM. */
import { DescribeSubnetsCommand, type EC2Client, paginateDescribeInstances } from '@aws-sdk/client-ec2';
import { GetRoleCommand, type IAMClient, NoSuchEntityException } from '@aws-sdk/client-iam';
import {
  GetAWSDefaultServiceQuotaCommand,
  GetServiceQuotaCommand,
  NoSuchResourceException,
  type ServiceQuotasClient,
} from '@aws-sdk/client-service-quotas';
import { MANAGED_POLICY_TAG } from '../../domain/operations.ts';
import {
  type ByMarket,
  isStandardInstance,
  type Market,
  QUOTAS,
  type QuotaState,
} from '../../domain/preflight.ts';
import type { Account } from '../ports/account.ts';

/** A run can do without these answers. */
const PATIENCE_MILLISECONDS = 10_000;
/** EC2's largest page of instances. */
const PAGE_SIZE = 1_000;

export interface AccountClients {
  readonly quotas: ServiceQuotasClient;
  readonly ec2: EC2Client;
  readonly iam: IAMClient;
}

export class AwsAccount implements Account {
  readonly #clients: AccountClients;
  readonly #patienceMilliseconds: number;

  constructor(clients: AccountClients, patienceMilliseconds = PATIENCE_MILLISECONDS) {
    this.#clients = clients;
    this.#patienceMilliseconds = patienceMilliseconds;
  }

  async quotas(): Promise<ByMarket<QuotaState>> {
    const abortSignal = this.#patience();
    const [onDemand, spot, inUse] = await Promise.all([
      this.#quota('onDemand', abortSignal),
      this.#quota('spot', abortSignal),
      this.#vcpusInUse(abortSignal),
    ]);
    return {
      onDemand: { vcpus: onDemand, inUse: inUse.onDemand },
      spot: { vcpus: spot, inUse: inUse.spot },
    };
  }

  async hasServiceLinkedRole({ name }: { readonly name: string }): Promise<boolean> {
    try {
      await this.#clients.iam.send(new GetRoleCommand({ RoleName: name }), { abortSignal: this.#patience() });
      return true;
    } catch (error) {
      if (error instanceof NoSuchEntityException) return false;
      throw error;
    }
  }

  async untaggedSubnets(subnetIds: readonly string[]): Promise<readonly string[]> {
    const command = new DescribeSubnetsCommand({ SubnetIds: [...subnetIds] });
    const { Subnets = [] } = await this.#clients.ec2.send(command, { abortSignal: this.#patience() });
    return Subnets.filter(({ Tags = [] }) => !Tags.some(isEmrTag)).flatMap(({ SubnetId }) => SubnetId ?? []);
  }

  #patience(): AbortSignal {
    return AbortSignal.timeout(this.#patienceMilliseconds);
  }

  /** An account whose quota was never changed may have no value of its own: AWS's default holds then. */
  async #quota(market: Market, abortSignal: AbortSignal): Promise<number> {
    const { quotas } = this.#clients;
    const quota = { ServiceCode: 'ec2', QuotaCode: QUOTAS[market].code };
    try {
      return quotaValue(await quotas.send(new GetServiceQuotaCommand(quota), { abortSignal }));
    } catch (error) {
      if (!(error instanceof NoSuchResourceException)) throw error;
      return quotaValue(await quotas.send(new GetAWSDefaultServiceQuotaCommand(quota), { abortSignal }));
    }
  }

  /** Counts what runs. Requests for spot instances that are still open count for EC2 too, and are not seen here. */
  async #vcpusInUse(abortSignal: AbortSignal): Promise<ByMarket<number>> {
    const inUse = { onDemand: 0, spot: 0 };
    const pages = paginateDescribeInstances(
      { client: this.#clients.ec2, pageSize: PAGE_SIZE },
      { Filters: [{ Name: 'instance-state-name', Values: ['pending', 'running'] }] },
      { abortSignal },
    );
    for await (const { Reservations = [] } of pages) {
      for (const { InstanceType = '', InstanceLifecycle, CpuOptions } of Reservations.flatMap(
        ({ Instances = [] }) => Instances,
      )) {
        if (!isStandardInstance(InstanceType)) continue;
        const vcpus = (CpuOptions?.CoreCount ?? 0) * (CpuOptions?.ThreadsPerCore ?? 1);
        inUse[InstanceLifecycle === 'spot' ? 'spot' : 'onDemand'] += vcpus;
      }
    }
    return inUse;
  }
}

function quotaValue({
  Quota,
}: {
  readonly Quota?: { readonly Value?: number | undefined } | undefined;
}): number {
  if (Quota?.Value === undefined) throw new Error('Service Quotas names no value');
  return Quota.Value;
}

/** Whether a tag of EC2 is the one that EMR asks for. */
export function isEmrTag({
  Key,
  Value,
}: {
  readonly Key?: string | undefined;
  readonly Value?: string | undefined;
}): boolean {
  return Key === MANAGED_POLICY_TAG.key && Value === MANAGED_POLICY_TAG.value;
}
