/** The retrospective protocol, as train-models would say it of 20,000 users. */

import type { Retrospective } from '../../domain/results.ts';
import { RETROSPECTIVE_MODELS } from '../../domain/retrospective.ts';

const REWEIGHTED = { auc: 0.83, accuracy: 0.75, recall: 0.76, precision: 0.79, f1: 0.775 };
const AS_THEY_ARE = { auc: 0.83, accuracy: 0.77, recall: 0.62, precision: 0.5, f1: 0.553 };

export const RETROSPECTIVE: Retrospective = {
  users: 20_000,
  cancelled: 4_500,
  testUsers: 6_000,
  testCancelled: 1_350,
  evaluations: RETROSPECTIVE_MODELS.map(({ name }) => ({
    model: name,
    figures: {
      test: AS_THEY_ARE,
      test_reweighted: REWEIGHTED,
      whole: AS_THEY_ARE,
      whole_reweighted: REWEIGHTED,
    },
  })),
  bestSix: 'six_features_random_forest',
  difference: { value: 0.041, low: 0.021, high: 0.062 },
};
