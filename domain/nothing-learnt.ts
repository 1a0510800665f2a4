/** The plain words for a log from which no model can be made. */
import type { RunDetail } from './records.ts';

/** Why no user is ranked by this run's own model, in one sentence; undefined where one was trained. */
export function nothingLearnt({
  features,
  training,
}: Pick<RunDetail, 'features' | 'training'>): string | undefined {
  if (features.cancellations === 0) {
    return 'Nobody cancels in this log, so there is nothing to learn from: no model is trained or promoted, and no user is named as at risk';
  }
  if (training === null || training.evaluations.some(({ kind }) => kind === 'candidate')) return undefined;
  return `Too few users cancel before the cutoffs of the training rows to learn from (${training.trainCancellations} rows): no model is trained or promoted by this run`;
}
