/** What a plan is given that its settings would not give it, in the rehearsed run and in the local run that it is compared with. */
import { runPlanSchema } from '../../domain/run.ts';

/** Cancelling users in the training rows that are enough. In a log that one machine rehearses no more than this can cancel. */
const MIN_CANCELLATIONS = 20;

/**
 * @param text the plan as it was written
 * @param boostingWorkers barrier tasks of XGBoost: a plan for EMR has four or more, a local one has one
 * @returns the plan with that number of workers, and with which a model of a small log can be in charge
 */
export function overridePlan(text: string, boostingWorkers: number): string {
  const plan = runPlanSchema.parse(JSON.parse(text));
  const training = { ...plan.training, boostingWorkers, minCancellations: MIN_CANCELLATIONS };
  return JSON.stringify({ ...plan, training });
}
