/** Which saved queries may have no answer on a small log. */

/**
 * The tables, with a condition, that these queries read. They may have no rows: few users may form no segments, no part of
 * them may have the fifty that its figures need, test rows of one outcome show nothing of what drives a model, no sample
 * of few users is small enough to be compared with the others, and what came true is known only after the horizon.
 */
export const MAY_BE_EMPTY: Readonly<Record<string, string>> = {
  'segments-now': 'segments',
  'model-by-part-of-the-users': "model_metrics WHERE protocol = 'forward' AND slice <> 'all'",
  'what-drives-the-model': 'drivers',
  'churn-across-features': 'feature_ranges',
  'is-a-sample-enough': 'homogeneity',
  'what-came-true': 'outcomes',
};
