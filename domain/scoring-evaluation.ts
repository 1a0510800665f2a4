/** The evaluation of the model that scored a run's users: its figures are those that count for them. */
import { chosenEvaluation } from './chosen-evaluation.ts';
import type { ModelName } from './models.ts';
import type { RunDetail } from './records.ts';
import type { ModelEvaluation } from './results.ts';

type OfChoice = Pick<RunDetail, 'training' | 'choice'>;

/**
 * That of the run's own model, or of the champion on this run's test rows; of the base rate when nobody is in charge.
 * Undefined when nothing was trained, or when the result names a model that it did not evaluate.
 */
export function scoringEvaluation({ training, choice }: OfChoice): ModelEvaluation | undefined {
  if (training === null) return undefined;
  if (choice === undefined || choice.challengerScores) return chosenEvaluation(training);
  if (choice.scorer !== null) return training.champion?.evaluation ?? undefined;
  return training.evaluations.find(({ model }) => model === 'base_rate');
}

/** The kind of the model that scored. */
export function scoringModel(of: OfChoice): ModelName {
  const { training, choice } = of;
  return scoringEvaluation(of)?.model ?? choice?.scorer?.model ?? training?.chosen ?? 'base_rate';
}
