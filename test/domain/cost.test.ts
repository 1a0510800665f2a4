import { describe, expect, it } from 'vitest';
import { instancesUsd, instanceUsdPerHour, unitUsdPerHourCeiling } from '../../domain/cost.ts';

it('an hour of an m7g.xlarge costs its EC2, EMR and storage rates', () => {
  expect(instanceUsdPerHour('m7g.xlarge', 'us-east-1')).toBeCloseTo(0.1632 + 0.0408 + (64 * 0.08) / 730, 6);
});

it.each([
  ['m7g.xlarge', 'eu-central-1', 0.1955, 0.1955],
  ['r6g.xlarge', 'ap-northeast-1', 0.2432, 0.2432],
  // Cheaper than the base Region, so EMR's share is applied to the base Region's rate.
  ['m7g.xlarge', 'ap-south-1', 0.1166, 0.1632],
  // Not in the price table.
  ['m7g.xlarge', 'sa-east-1', 1.6 * 0.1632, 1.6 * 0.1632],
])('an hour of an %s in %s costs the rates of its Region', (type, region, ec2, ofWhichEmr) => {
  const storage = (1.6 * 64 * 0.08) / 730;
  expect(instanceUsdPerHour(type, region)).toBeCloseTo(ec2 + ofWhichEmr / 4 + storage, 6);
});

it('a Region in the price table costs its own rates, less than a Region that is not in the table', () => {
  for (const region of ['us-east-2', 'us-west-2', 'eu-west-1', 'ap-southeast-1']) {
    const dearest = unitUsdPerHourCeiling(region);
    expect(dearest).toBeLessThan(unitUsdPerHourCeiling('not in the table'));
    expect(dearest).toBeCloseTo(instanceUsdPerHour('r7g.xlarge', region) ?? 0, 9);
  }
});

describe('the market price of a spot instance', () => {
  const hour = { instanceType: 'm7g.xlarge', seconds: 3_600 };
  const table = instancesUsd([hour], 'us-east-1') ?? 0;

  it("replaces EC2's rate, but not EMR's or the storage rate", () => {
    expect(instancesUsd([{ ...hour, ec2UsdPerHour: 0.0632 }], 'us-east-1')).toBeCloseTo(table - 0.1, 9);
  });

  it("never counts more than the price table's rate", () => {
    expect(instancesUsd([{ ...hour, ec2UsdPerHour: 9 }], 'us-east-1')).toBe(table);
  });
});

it('an instance of twice the size costs twice as much', () => {
  const [once, twice] = ['r6g.xlarge', 'r6g.2xlarge'].map((type) => instanceUsdPerHour(type, 'us-east-1'));
  expect(twice).toBeCloseTo(2 * (once ?? 0), 9);
});

it('every instance is billed for at least a minute', () => {
  const second = instancesUsd([{ instanceType: 'm7g.xlarge', seconds: 1 }], 'us-east-1');
  const minute = instancesUsd([{ instanceType: 'm7g.xlarge', seconds: 60 }], 'us-east-1');
  expect(second).toBe(minute);
  expect(minute).toBeCloseTo((instanceUsdPerHour('m7g.xlarge', 'us-east-1') ?? 0) / 60, 9);
});

it('an instance without a price makes the total cost unknown, not smaller', () => {
  const instances = [
    { instanceType: 'm7g.xlarge', seconds: 600 },
    { instanceType: 'p5.48xlarge', seconds: 600 },
  ];
  expect(instancesUsd(instances, 'us-east-1')).toBeUndefined();
  expect(instancesUsd([], 'us-east-1')).toBe(0);
});

it('no instance of one unit costs more than the upper limit for a unit', () => {
  for (const type of ['m6g.xlarge', 'm7g.xlarge', 'r6g.xlarge', 'r7g.xlarge']) {
    const usd = instanceUsdPerHour(type, 'eu-west-1') ?? Number.POSITIVE_INFINITY;
    expect(usd).toBeLessThanOrEqual(unitUsdPerHourCeiling('eu-west-1'));
  }
});
