import { expect, it } from 'vitest';
import { measurements } from '../../../lambda/start-training/measurements.ts';

const budget = { budgetUsd: 40 };

it('a run that was planned is measured by its estimate, as an amount and as a share of the budget', () => {
  const cluster = { coreUnits: 2, taskUnits: 1, executors: 3, estimatedMinutes: 21, estimatedUsd: 32 };
  const output = { decision: 'run', runId: 'r', planUri: 's3://lake/plan', batchId: 'b', cluster } as const;
  expect(measurements(output, budget)).toEqual({ estimatedCostUsd: 32, estimatedBudgetPercent: 80 });
});

it('a start that plans no run has no estimate', () => {
  const reason = 'because';
  expect(measurements({ decision: 'refused', runId: 'r', reason }, budget)).toEqual({ runsRefused: 1 });
  expect(measurements({ decision: 'nothing-to-do', runId: 'r', reason }, budget)).toEqual({});
});
