/** The slices of a model, as train-models would count them among 1,000 test users of whom 40 cancel. */
import type { Slice } from '../../domain/results.ts';
import type { SlicedModel } from '../../domain/slices.ts';

type Part = readonly [
  variable: Slice['variable'],
  value: string,
  users: number,
  cancelled: number,
  predicted: number,
];

const PARTS: readonly Part[] = [
  ['level', 'free', 420, 25, 22.1],
  ['level', 'paid', 580, 15, 16.4],
  ['gender', 'F', 480, 20, 19.2],
  ['gender', 'M', 500, 20, 18.9],
  ['gender', 'unknown', 20, 0, 0.4],
  ['device', 'Windows', 540, 20, 20.1],
  ['device', 'Mac', 411, 20, 17.2],
  ['device', 'Linux', 49, 0, 1.2],
  ['tenure', 'under 2 weeks', 100, 9, 2.1],
  ['tenure', '2 to 4 weeks', 900, 31, 36.4],
  ['region', 'south', 400, 22, 18.1],
  ['region', 'west', 600, 18, 20.4],
  ['segment', '1', 700, 0, 12.5],
  ['segment', '2', 300, 40, 26],
];

/** @param auc the area under the ROC curve in each part where one can be measured */
export function slicesOf(model: SlicedModel, auc: number): Slice[] {
  return PARTS.map(([variable, value, users, cancelled, predicted]) => ({
    model,
    variable,
    value,
    users,
    cancelled,
    predicted,
    auc: cancelled === 0 ? null : auc,
  }));
}
