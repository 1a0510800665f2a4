import { expect, it } from 'vitest';
import { instancesUsd, instanceUsdPerHour, unitUsdPerHourCeiling } from '../../lib/domain/cost.ts';

it('an hour of an m7g.xlarge is its EC2, EMR and storage rate', () => {
  expect(instanceUsdPerHour('m7g.xlarge', 'us-east-1')).toBeCloseTo(0.1632 + 0.0408 + (64 * 0.08) / 730, 6);
});

it('an instance twice as large costs twice as much', () => {
  const [once, twice] = ['r6g.xlarge', 'r6g.2xlarge'].map((type) => instanceUsdPerHour(type, 'us-east-1'));
  expect(twice).toBeCloseTo(2 * (once ?? 0), 9);
});

it('every instance is billed for a minute at least', () => {
  const second = instancesUsd([{ instanceType: 'm7g.xlarge', seconds: 1 }], 'us-east-1');
  const minute = instancesUsd([{ instanceType: 'm7g.xlarge', seconds: 60 }], 'us-east-1');
  expect(second).toBe(minute);
  expect(minute).toBeCloseTo((instanceUsdPerHour('m7g.xlarge', 'us-east-1') ?? 0) / 60, 9);
});

it('an instance without a price makes the sum unknown, not smaller', () => {
  const instances = [
    { instanceType: 'm7g.xlarge', seconds: 600 },
    { instanceType: 'p5.48xlarge', seconds: 600 },
  ];
  expect(instancesUsd(instances, 'us-east-1')).toBeUndefined();
  expect(instancesUsd([], 'us-east-1')).toBe(0);
});

it('no instance of one unit costs more than the ceiling', () => {
  for (const type of ['m6g.xlarge', 'm7g.xlarge', 'r6g.xlarge', 'r7g.xlarge']) {
    const usd = instanceUsdPerHour(type, 'eu-west-1') ?? Number.POSITIVE_INFINITY;
    expect(usd).toBeLessThanOrEqual(unitUsdPerHourCeiling('eu-west-1'));
  }
});
