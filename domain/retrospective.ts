/**
 * The retrospective protocol, for comparison only: one row a user, with features over all of the user's history, and whether
 * the user ever cancelled. Most published analyses of this kind of log are judged so, and it flatters: see RETROSPECTIVE_LEAK.
 * What was published, what is done again here, and the names under which it is stored.
 */

/** When a run that trains does it: only in a lake's first run, in each, or in none. */
export const RETROSPECTIVE_MODES = ['first-run', 'always', 'never'] as const;
export type RetrospectiveMode = (typeof RETROSPECTIVE_MODES)[number];

/** Why figures of this protocol must not be believed. */
export const RETROSPECTIVE_LEAK =
  'It asks who has ever cancelled once everything has happened: the history of a user who cancels is cut off by the cancellation itself, so a short membership gives the answer away. On no day could anyone have had these figures for users whose future was still open.';

/** The three models of the published analysis on its six features, and ours on ours. */
export const RETROSPECTIVE_MODELS = [
  { name: 'six_features_logistic_regression', label: 'Logistic regression, six features' },
  { name: 'six_features_random_forest', label: 'Random forest, six features' },
  { name: 'six_features_boosted_trees', label: 'Gradient-boosted trees, six features' },
  { name: 'boosted_trees', label: 'Gradient-boosted trees, our features' },
] as const;
export type RetrospectiveModelName = (typeof RETROSPECTIVE_MODELS)[number]['name'];

/** The six features of the published analysis. */
export const SIX_FEATURES = [
  { name: 'is_paid', label: 'final level' },
  { name: 'sessions_per_month', label: 'sessions per month' },
  { name: 'thumbs_up_per_day', label: 'thumbs up per day' },
  { name: 'thumbs_down_per_day', label: 'thumbs down per day' },
  { name: 'errors_per_day', label: 'errors per day' },
  { name: 'membership_days', label: 'duration of the membership' },
] as const;

/** Of its test users so many had cancelled: the others were undersampled before the split. */
export const PUBLISHED_POSITIVES = 0.56;
/** Cancelled users for each other one among those from which it learnt. */
export const PUBLISHED_RATIO = 1.25;
/** Share of the users of whom models learn. */
export const RETROSPECTIVE_TRAINING_SHARE = 0.7;
/** Of large logs, so many users are looked at, chosen by a hash: it is a comparison, and may take half a minute. */
export const MOST_RETROSPECTIVE_USERS = 10_000;
/** With fewer users who cancelled, or who stayed, there is nothing to learn from. */
export const LEAST_RETROSPECTIVE_USERS = 20;

/** Which users figures are of; `reweighted` as if 56 % of them had cancelled. */
export const RETROSPECTIVE_SLICES = [
  { name: 'test', label: 'Held-out users as they are' },
  { name: 'test_reweighted', label: 'Held-out users, reweighted to 56% cancelled' },
  { name: 'whole', label: 'All users as they are, those learnt from too' },
  { name: 'whole_reweighted', label: 'All users, reweighted to 56% cancelled' },
] as const;
export type RetrospectiveSlice = (typeof RETROSPECTIVE_SLICES)[number]['name'];

/** Figures at the threshold with the best F1 on out-of-fold scores of training users. */
export const RETROSPECTIVE_METRICS = [
  { name: 'auc', label: 'AUC' },
  { name: 'accuracy', label: 'Accuracy' },
  { name: 'recall', label: 'Recall' },
  { name: 'precision', label: 'Precision' },
  { name: 'f1', label: 'F1' },
] as const;
export type RetrospectiveMetric = (typeof RETROSPECTIVE_METRICS)[number]['name'];
export type RetrospectiveFigures = Readonly<Record<RetrospectiveMetric, number>>;

interface Published {
  readonly model: RetrospectiveModelName;
  /** Where its figures have their like. */
  readonly slice: RetrospectiveSlice;
  readonly figures: RetrospectiveFigures;
}

const figures = (
  auc: number,
  accuracy: number,
  recall: number,
  precision: number,
  f1: number,
): RetrospectiveFigures => ({ auc, accuracy, recall, precision, f1 });

/** What was published, of another log (22,278 users of two months): its test set is undersampled, its whole set is not. */
export const PUBLISHED: readonly Published[] = [
  {
    model: 'six_features_logistic_regression',
    slice: 'test_reweighted',
    figures: figures(0.805, 0.744, 0.759, 0.778, 0.768),
  },
  {
    model: 'six_features_random_forest',
    slice: 'test_reweighted',
    figures: figures(0.844, 0.765, 0.758, 0.809, 0.783),
  },
  {
    model: 'six_features_boosted_trees',
    slice: 'test_reweighted',
    figures: figures(0.843, 0.761, 0.77, 0.795, 0.782),
  },
  {
    model: 'six_features_logistic_regression',
    slice: 'whole',
    figures: figures(0.802, 0.736, 0.748, 0.448, 0.56),
  },
  {
    model: 'six_features_random_forest',
    slice: 'whole',
    figures: figures(0.855, 0.781, 0.769, 0.508, 0.612),
  },
  {
    model: 'six_features_boosted_trees',
    slice: 'whole',
    figures: figures(0.861, 0.777, 0.782, 0.502, 0.612),
  },
];
