/** Warnings about probabilities: only where the rows contradict them, and by chance in at most 5 % of runs. */
import { describe, expect, it } from 'vitest';
import { falseAlarms } from '../../bench/calibration-simulation.ts';
import { checkCalibration } from '../../domain/calibration-check.ts';
import type { CurveBin } from '../../domain/results.ts';

/** Groups of which as many cancel as a line over the log-odds says. */
const groups = (users: number, slope: number, intercept: number): readonly CurveBin[] => {
  let due = 0;
  return Array.from({ length: 50 }, (_, index) => {
    const logOdds = -5 + index * 0.08;
    due += users / (1 + Math.exp(-(intercept + slope * logOdds)));
    const cancelled = Math.floor(due);
    due -= cancelled;
    return { predicted: 1 / (1 + Math.exp(-logOdds)), users, cancelled };
  });
};

describe('checkCalibration', () => {
  it('finds nothing where as many cancel as predicted', () => {
    const found = checkCalibration(groups(1000, 1, 0));
    expect(found.contradicted).toEqual([]);
    expect(found.predictedObserved?.value).toBeCloseTo(1, 2);
    expect(found.slope?.value).toBeCloseTo(1, 1);
  });

  it('finds that too few cancel', () => {
    const found = checkCalibration(groups(1000, 1, -0.5));
    expect(found.contradicted).toEqual(['predicted_observed']);
    expect(found.predictedObserved?.low).toBeGreaterThan(1);
  });

  it('finds that the probabilities differ more than the outcomes', () => {
    const found = checkCalibration(groups(1000, 0.5, -1.3));
    expect(found.contradicted).toContain('calibration_slope');
    expect(found.slope?.value).toBeCloseTo(0.5, 1);
  });

  it('blames chance where there are few rows', () => {
    expect(checkCalibration(groups(4, 0.5, -1.3)).contradicted).toEqual([]);
  });

  it('contradicts even where nobody cancelled, if many should have', () => {
    const nobody = groups(1000, 1, 0).map((bin) => ({ ...bin, cancelled: 0 }));
    const found = checkCalibration(nobody);
    expect(found.contradicted).toEqual(['predicted_observed']);
    expect(found).toMatchObject({ predictedObserved: undefined, slope: undefined });
  });

  it('asks no slope of a model that gives all the same probability, and none of no rows', () => {
    expect(checkCalibration([{ predicted: 0.05, users: 1000, cancelled: 50 }])).toMatchObject({
      slope: undefined,
      contradicted: [],
    });
    expect(checkCalibration([])).toMatchObject({ contradicted: [] });
  });

  // 1,000 simulations of each: npm run bench:calibration.
  it.each([187, 2000, 18_000])('contradicts a perfect model on %d rows in at most 5 %% of runs', (rows) => {
    expect(falseAlarms(rows, 100, 1)).toBeLessThanOrEqual(0.05);
  });
});
