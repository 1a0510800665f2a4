/** The CloudWatch metrics of a start. Pure functions. */
import type { PlanRunOutput, RunSettings } from '../../domain/run.ts';
import type { Measurements } from '../aws/lambda-handler.ts';

export function measurements(
  output: PlanRunOutput,
  { budgetUsd }: Pick<RunSettings, 'budgetUsd'>,
): Measurements {
  if (output.decision === 'refused') return { runsRefused: 1 };
  // The estimate of a run that verifies is that of the whole run that it verifies.
  if (output.decision !== 'run') return {};
  const { estimatedUsd } = output.cluster;
  return { estimatedCostUsd: estimatedUsd, estimatedBudgetPercent: (100 * estimatedUsd) / budgetUsd };
}
