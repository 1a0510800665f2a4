/** The evaluation of the model that a run chose. */
import type { ModelEvaluation, TrainingResult } from './results.ts';

/** Undefined when the result names a model that it did not evaluate. */
export function chosenEvaluation({
  evaluations,
  chosen,
}: Pick<TrainingResult, 'evaluations' | 'chosen'>): ModelEvaluation | undefined {
  return evaluations.find(({ model }) => model === chosen);
}
