/**
 * What a cluster costs. Prices are on-demand list prices per hour, taken as the ceiling for spot instances too;
 * the EMR rate is paid in full on both markets.
 */

/** When the EC2 rates below were last held against public copies of the price list. */
export const PRICES_AS_OF = '2026-11-23';

/**
 * EC2 and EMR rates in USD per vCPU and hour, Linux, us-east-1; linear in the size within a family. EMR's rate is
 * a quarter of EC2's for these families.
 */
const FAMILIES: Readonly<Record<string, { readonly ec2: number; readonly emr: number }>> = {
  m6g: { ec2: 0.0385, emr: 0.009625 },
  m7g: { ec2: 0.0408, emr: 0.0102 },
  r6g: { ec2: 0.0504, emr: 0.0126 },
  r7g: { ec2: 0.05355, emr: 0.0133875 },
};

const VCPUS: Readonly<Record<string, number>> = { xlarge: 4, '2xlarge': 8, '4xlarge': 16, '8xlarge': 32 };

/** gp3 storage in USD per GiB and hour: 0.08 a month of 730 hours. */
const STORAGE_USD_PER_GIB_HOUR = 0.08 / 730;
/** Storage of an instance with four vCPUs; larger ones have as much more. */
export const STORAGE_GIB_PER_UNIT = 64;
/** vCPUs of one unit of a fleet's capacity. */
export const VCPUS_PER_UNIT = 4;

/** Regions with the prices of us-east-1; every other is reckoned at the dearest one's. */
const BASE_PRICE_REGIONS: readonly string[] = ['us-east-1', 'us-east-2', 'us-west-2'];
const OTHER_REGIONS_FACTOR = 1.6;

/** The shortest time that is billed. */
const MINIMUM_SECONDS = 60;
const SECONDS_PER_HOUR = 3_600;

/** An instance that ran. */
export interface InstanceTime {
  readonly instanceType: string;
  readonly seconds: number;
}

/** Hourly rate of an instance in USD: EC2, EMR and storage; undefined for a type that the table does not know. */
export function instanceUsdPerHour(instanceType: string, region: string): number | undefined {
  const [familyName = '', size = ''] = instanceType.split('.');
  const family = FAMILIES[familyName];
  const vcpus = VCPUS[size];
  if (family === undefined || vcpus === undefined) return undefined;
  const storageGib = (STORAGE_GIB_PER_UNIT * vcpus) / VCPUS_PER_UNIT;
  const usd = vcpus * (family.ec2 + family.emr) + storageGib * STORAGE_USD_PER_GIB_HOUR;
  return BASE_PRICE_REGIONS.includes(region) ? usd : usd * OTHER_REGIONS_FACTOR;
}

/** Cost of instances in USD, at least a minute each; undefined when the table does not know one of them. */
export function instancesUsd(instances: readonly InstanceTime[], region: string): number | undefined {
  let total = 0;
  for (const instance of instances) {
    const usdPerHour = instanceUsdPerHour(instance.instanceType, region);
    if (usdPerHour === undefined) return undefined;
    total += (usdPerHour * Math.max(instance.seconds, MINIMUM_SECONDS)) / SECONDS_PER_HOUR;
  }
  return total;
}

/** Ceiling of what one unit costs in an hour: the dearest family that a fleet may take. */
export function unitUsdPerHourCeiling(region: string): number {
  const rates = Object.keys(FAMILIES).map((family) => instanceUsdPerHour(`${family}.xlarge`, region) ?? 0);
  return Math.max(...rates);
}
