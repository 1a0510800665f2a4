import { expect, it } from 'vitest';
import { meanUsdPerHour } from '../../domain/spot-price.ts';

const at = (time: string): Date => new Date(`2026-11-23T${time}:00Z`);
const change = (time: string, usdPerHour: number) => ({ at: at(time), usdPerHour });

it('the mean spot price weights each price by its duration', () => {
  const changes = [change('06:00', 0.04), change('10:45', 0.08), change('12:00', 5)];
  expect(meanUsdPerHour(changes, at('10:00'), at('11:00'))).toBeCloseTo(0.75 * 0.04 + 0.25 * 0.08, 9);
});

it('the mean spot price does not depend on the order of the changes', () => {
  const changes = [change('10:30', 0.08), change('06:00', 0.04)];
  expect(meanUsdPerHour(changes, at('10:00'), at('11:00'))).toBeCloseTo(0.06, 9);
});

it('the mean spot price uses only the last change before the start', () => {
  const changes = [change('01:00', 9), change('06:00', 0.04)];
  expect(meanUsdPerHour(changes, at('10:00'), at('11:00'))).toBe(0.04);
});

it('the mean spot price ignores the time before the first known price', () => {
  expect(meanUsdPerHour([change('10:50', 0.08)], at('10:00'), at('11:00'))).toBeCloseTo(0.08, 9);
});

it('the mean spot price of an instance that ended at once is the price at that time', () => {
  expect(meanUsdPerHour([change('06:00', 0.04)], at('10:00'), at('10:00'))).toBe(0.04);
});

it('the mean spot price is undefined without a price in or before the interval', () => {
  expect(meanUsdPerHour([], at('10:00'), at('11:00'))).toBeUndefined();
  expect(meanUsdPerHour([change('11:30', 0.04)], at('10:00'), at('11:00'))).toBeUndefined();
});
