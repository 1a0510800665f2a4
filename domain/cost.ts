/**
 * The cost of a cluster: for each instance EC2's rate, EMR's rate and the rate of its storage. The table holds on-demand
 * list prices; for spot instances EC2's rate is the market price, with the table as the upper limit. EMR's rate is paid
 * in full on both markets.
 */

/** When the EC2 rates below were last compared with public copies of AWS's price list. */
export const PRICES_AS_OF = '2026-11-23';

/** EC2's rates by instance family. */
interface FamilyRates {
  readonly [family: string]: number;
}

/**
 * EC2's rate of an xlarge (four vCPUs) in USD per hour, Linux, on demand; proportional to the size within a family.
 * Taken from two copies of AWS's price list, which agree where both have a rate: Karpenter's generated table
 * (karpenter-provider-aws 265ee0b: us-east-1 on 2026-02-09) and SkyPilot's catalog (skypilot-catalog e385a0d,
 * catalogs/v8/aws/vms.csv: every Region below).
 */
const EC2_USD_PER_XLARGE_HOUR: Readonly<Record<string, FamilyRates>> = {
  'us-east-1': { m6g: 0.154, m7g: 0.1632, r6g: 0.2016, r7g: 0.2142 },
  'us-east-2': { m6g: 0.154, m7g: 0.1632, r6g: 0.2016, r7g: 0.2142 },
  'us-west-1': { m6g: 0.1792, m7g: 0.1904, r6g: 0.224, r7g: 0.238 },
  'us-west-2': { m6g: 0.154, m7g: 0.1632, r6g: 0.2016, r7g: 0.2142 },
  'ca-central-1': { m6g: 0.1712, m7g: 0.1819, r6g: 0.2208, r7g: 0.2346 },
  'eu-central-1': { m6g: 0.184, m7g: 0.1955, r6g: 0.2432, r7g: 0.2584 },
  'eu-north-1': { m6g: 0.164, m7g: 0.1734, r6g: 0.214, r7g: 0.2278 },
  'eu-west-1': { m6g: 0.172, m7g: 0.1819, r6g: 0.2256, r7g: 0.2397 },
  'eu-west-2': { m6g: 0.1776, m7g: 0.1887, r6g: 0.2368, r7g: 0.2516 },
  'eu-west-3': { m6g: 0.18, m7g: 0.1904, r6g: 0.236, r7g: 0.2516 },
  'ap-northeast-1': { m6g: 0.198, m7g: 0.2108, r6g: 0.2432, r7g: 0.2584 },
  'ap-northeast-2': { m6g: 0.188, m7g: 0.2006, r6g: 0.244, r7g: 0.2584 },
  'ap-south-1': { m6g: 0.1012, m7g: 0.1166, r6g: 0.13, r7g: 0.1502 },
  'ap-southeast-1': { m6g: 0.192, m7g: 0.204, r6g: 0.2432, r7g: 0.2584 },
  'ap-southeast-2': { m6g: 0.192, m7g: 0.204, r6g: 0.2416, r7g: 0.2567 },
};
const BASE_REGION = 'us-east-1';
/**
 * The rate assumed for every other Region, relative to the base Region. It is higher than every rate in those copies (the
 * highest, of Hong Kong and Bahrain, are 1.4 times the base; neither copy has those of São Paulo).
 */
const OTHER_REGIONS_FACTOR = 1.6;

/**
 * EMR's rate as a share of EC2's. It is a quarter for the families whose rates could be found (USD per hour: m5.xlarge
 * 0.048 of 0.192, r5.xlarge 0.063 of 0.252, c5.xlarge 0.043 of 0.170). No copy of the list has EMR's rates for
 * Graviton, so for these families it is an assumption. It is applied to the Region's EC2 rate or the base Region's,
 * whichever is higher.
 */
const EMR_SHARE = 0.25;

const VCPUS: Readonly<Record<string, number>> = { xlarge: 4, '2xlarge': 8, '4xlarge': 16, '8xlarge': 32 };

/** gp3 storage in USD per GiB and hour in the base Region: 0.08 per month of 730 hours. */
const STORAGE_USD_PER_GIB_HOUR = 0.08 / 730;
/** Regions with the storage price of the base Region; for all others the factor above is applied. */
const BASE_STORAGE_REGIONS: readonly string[] = ['us-east-1', 'us-east-2', 'us-west-2'];
/** Storage of an instance with four vCPUs; larger instances have proportionally more. */
export const STORAGE_GIB_PER_UNIT = 64;
/** vCPUs of one unit of a fleet's capacity. */
export const VCPUS_PER_UNIT = 4;

/** The shortest time that is billed. */
const MINIMUM_SECONDS = 60;
const SECONDS_PER_HOUR = 3_600;

/** An instance that ran. */
export interface InstanceTime {
  readonly instanceType: string;
  readonly seconds: number;
  /** EC2's market price in USD per hour, where it is known to differ from the table: for spot instances. */
  readonly ec2UsdPerHour?: number | undefined;
}

/** The components of an instance's rate, in USD per hour. */
interface InstanceRates {
  readonly ec2: number;
  readonly emr: number;
  readonly storage: number;
}

/** Hourly rate of an instance in USD: EC2, EMR and storage; undefined for a type that the table does not have. */
export function instanceUsdPerHour(instanceType: string, region: string): number | undefined {
  const rates = instanceRates(instanceType, region);
  return rates === undefined ? undefined : total(rates);
}

/** Cost of instances in USD, for at least a minute each; undefined if the table does not have the type of one of them. */
export function instancesUsd(instances: readonly InstanceTime[], region: string): number | undefined {
  let sum = 0;
  for (const { instanceType, seconds, ec2UsdPerHour } of instances) {
    const rates = instanceRates(instanceType, region);
    if (rates === undefined) return undefined;
    const usdPerHour = total({ ...rates, ec2: Math.min(rates.ec2, ec2UsdPerHour ?? rates.ec2) });
    sum += (usdPerHour * Math.max(seconds, MINIMUM_SECONDS)) / SECONDS_PER_HOUR;
  }
  return sum;
}

/** Upper limit of the cost of one unit in USD per hour: that of the most expensive family that a fleet may use. */
export function unitUsdPerHourCeiling(region: string): number {
  const families = Object.keys(EC2_USD_PER_XLARGE_HOUR[BASE_REGION] ?? {});
  return Math.max(...families.map((family) => instanceUsdPerHour(`${family}.xlarge`, region) ?? 0));
}

function instanceRates(instanceType: string, region: string): InstanceRates | undefined {
  const [family = '', size = ''] = instanceType.split('.');
  const base = EC2_USD_PER_XLARGE_HOUR[BASE_REGION]?.[family];
  const vcpus = VCPUS[size];
  if (base === undefined || vcpus === undefined) return undefined;
  const xlarge = EC2_USD_PER_XLARGE_HOUR[region]?.[family] ?? base * OTHER_REGIONS_FACTOR;
  const units = vcpus / VCPUS_PER_UNIT;
  const storage = STORAGE_GIB_PER_UNIT * STORAGE_USD_PER_GIB_HOUR;
  return {
    ec2: units * xlarge,
    emr: units * EMR_SHARE * Math.max(xlarge, base),
    storage: units * storage * (BASE_STORAGE_REGIONS.includes(region) ? 1 : OTHER_REGIONS_FACTOR),
  };
}

function total({ ec2, emr, storage }: InstanceRates): number {
  return ec2 + emr + storage;
}
