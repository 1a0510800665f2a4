/** The evaluation of the model that scored a run's users: its figures are those that count for them. */
import { chosenEvaluation } from './chosen-evaluation.ts';
import type { RunDetail } from './records.ts';
import type { ModelEvaluation } from './results.ts';

/**
 * That of the run's own model, or of the champion on this run's test rows; of the base rate when nobody is in charge.
 * Undefined when the result names a model that it did not evaluate.
 */
export function scoringEvaluation({
  training,
  choice,
}: Pick<RunDetail, 'training' | 'choice'>): ModelEvaluation | undefined {
  if (choice === undefined || choice.challengerScores) return chosenEvaluation(training);
  if (choice.scorer !== null) return training.champion?.evaluation ?? undefined;
  return training.evaluations.find(({ model }) => model === 'base_rate');
}
