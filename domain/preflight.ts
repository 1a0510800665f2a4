/**
 * What an AWS account must have before a cluster can be created: quotas, service-linked roles, tags. PlanRun and
 * `churn doctor` ask the account, and these pure functions say what the answers mean.
 */
import { VCPUS_PER_UNIT } from './cost.ts';
import { MANAGED_POLICY_TAG } from './operations.ts';
import type { ClusterSize } from './run.ts';
import { UserError } from './user-error.ts';

/** What one check has found. */
export interface Finding {
  /** What was checked, in a few words. */
  readonly check: string;
  /** `unknown`: there was no answer. */
  readonly status: 'ok' | 'problem' | 'unknown';
  readonly found: string;
  /** Empty if there is nothing to do. */
  readonly whatToDo: string;
  /** Whether every run fails as long as this is so. */
  readonly stopsRuns: boolean;
}

/** How instances are paid. */
export const MARKETS = ['onDemand', 'spot'] as const;
export type Market = (typeof MARKETS)[number];
export type ByMarket<Value> = Readonly<Record<Market, Value>>;

/** EC2's quotas for the instances of a cluster, counted in vCPUs. */
export const QUOTAS: ByMarket<{ readonly code: string; readonly name: string }> = {
  onDemand: { code: 'L-1216C47A', name: 'Running On-Demand Standard instances' },
  spot: { code: 'L-34B43A08', name: 'All Standard Spot Instance Requests' },
};

/** vCPUs that a quota allows, and how many of them are in use. */
export interface QuotaState {
  readonly vcpus: number;
  readonly inUse: number;
}

/** Roles that belong to AWS services and exist once per account. */
export const SERVICE_LINKED_ROLES = [
  {
    name: 'AWSServiceRoleForEMRCleanup',
    service: 'elasticmapreduce.amazonaws.com',
    without: 'EMR refuses to create a cluster',
    stopsRuns: true,
  },
  {
    name: 'AWSServiceRoleForEC2Spot',
    service: 'spot.amazonaws.com',
    without: 'EC2 launches no spot instance, so the cluster lacks its task instances',
    stopsRuns: false,
  },
] as const;
export type ServiceLinkedRole = (typeof SERVICE_LINKED_ROLES)[number];

/** Families that begin with a letter of the standard ones and have quotas of their own. */
const OTHER_FAMILIES: readonly string[] = ['dl', 'hpc', 'inf', 'mac', 'trn'];

/** Whether an instance type counts towards the two quotas: families A, C, D, H, I, M, R, T and Z. */
export function isStandardInstance(instanceType: string): boolean {
  const family = /^[a-z]+/.exec(instanceType)?.[0] ?? '';
  return /^[acdhimrtz]/.test(family) && !OTHER_FAMILIES.includes(family);
}

/** vCPUs of a cluster: the primary and the core on demand, the task instances on spot. */
export function vcpusNeeded({
  coreUnits,
  taskUnits,
}: Pick<ClusterSize, 'coreUnits' | 'taskUnits'>): ByMarket<number> {
  return { onDemand: VCPUS_PER_UNIT * (1 + coreUnits), spot: VCPUS_PER_UNIT * taskUnits };
}

/**
 * Whether the quotas suffice. Too few on demand fails every run; too few on spot does not, because EMR takes on-demand
 * instances instead after the spot time-out.
 */
export function quotaFindings(
  needed: ByMarket<number>,
  quotas: ByMarket<QuotaState>,
  region: string,
): readonly Finding[] {
  return MARKETS.map((market) => {
    const { code, name } = QUOTAS[market];
    const { vcpus, inUse } = quotas[market];
    const found = `${code} allows ${vcpus} vCPUs, ${inUse} are in use, and the cluster needs ${needed[market]}`;
    const isEnough = inUse + needed[market] <= vcpus;
    if (isEnough) return ok(`quota ${name}`, found);
    const request = inUse + needed[market];
    const release = needed[market] <= vcpus ? ', or wait until other instances are terminated' : '';
    return {
      check: `quota ${name}`,
      status: 'problem',
      found: market === 'spot' ? `${found}; ${withoutSpot(needed, quotas)}` : found,
      whatToDo:
        `ask for ${request} vCPUs or more (aws service-quotas request-service-quota-increase --service-code ec2 ` +
        `--quota-code ${code} --desired-value ${request} --region ${region})${release}`,
      stopsRuns: market === 'onDemand',
    };
  });
}

/** What becomes of the task instances. */
function withoutSpot(needed: ByMarket<number>, { onDemand }: ByMarket<QuotaState>): string {
  const all = needed.onDemand + needed.spot;
  return onDemand.inUse + all <= onDemand.vcpus
    ? 'EMR takes on-demand instances instead after churn:spotTimeoutMinutes'
    : `on demand, where EMR looks next, ${onDemand.inUse + all} vCPUs would have to be allowed (${QUOTAS.onDemand.code})`;
}

export function roleFinding(
  { name, service, without, stopsRuns }: ServiceLinkedRole,
  exists: boolean,
): Finding {
  const check = `role ${name}`;
  if (exists) return ok(check, 'exists');
  return {
    check,
    status: 'problem',
    found: `does not exist: ${without}`,
    whatToDo: `create it once for the account (aws iam create-service-linked-role --aws-service-name ${service})`,
    stopsRuns,
  };
}

/** Resources of a cluster's network, by their ids, that need MANAGED_POLICY_TAG. */
export interface TaggedResources {
  /** Such as `subnets`. */
  readonly what: string;
  readonly ids: readonly string[];
  /** Those of them that lack the tag. */
  readonly untagged: readonly string[];
  /** Whether a cluster uses one of them or all. */
  readonly uses: 'one' | 'all';
}

export function tagFinding({ what, ids, untagged, uses }: TaggedResources): Finding {
  const check = `tags of the ${what}`;
  if (untagged.length === 0) return ok(check, `all ${ids.length} carry the tag that EMR asks for`);
  return {
    check,
    status: 'problem',
    found: `${untagged.join(', ')} lack the tag without which EMR has "insufficient EC2 permissions"`,
    whatToDo:
      `tag them (aws ec2 create-tags --resources ${untagged.join(' ')} ` +
      `--tags Key=${MANAGED_POLICY_TAG.key},Value=${MANAGED_POLICY_TAG.value})`,
    stopsRuns: uses === 'all' || untagged.length === ids.length,
  };
}

/** The subnets; EMR chooses one of them for a cluster. */
export function subnetTagFinding(ids: readonly string[], untagged: readonly string[]): Finding {
  return tagFinding({ what: 'subnets', ids, untagged, uses: 'one' });
}

/** A check that found nothing to do. */
export function ok(check: string, found: string): Finding {
  return { check, status: 'ok', found, whatToDo: '', stopsRuns: false };
}

/** A check without an answer. */
export function unknown(check: string, error: unknown): Finding {
  return { check, status: 'unknown', found: errorText(error), whatToDo: '', stopsRuns: false };
}

/** An error in one line; one that is meant for users needs no name. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof UserError ? error.message : `${error.name}: ${error.message}`;
}

/** A finding in one line: the check, what was found, what to do. */
export function findingText({ check, found, whatToDo }: Finding): string {
  return `${check}: ${found}${whatToDo === '' ? '' : `; ${whatToDo}`}`;
}
