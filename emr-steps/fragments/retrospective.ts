/**
 * The retrospective protocol (domain/retrospective.ts): the published recipe of six features and our own trees, on the same
 * split of the same users. Every user is looked at before the own last day, so that neither the pages of a cancellation nor
 * the time since are seen; what remains flatters all the same. Users are bounded in number, so all is learnt on the driver.
 */
import { FEATURES } from '../../domain/features/catalogue.ts';
import { compileFeatures } from '../../domain/features/compile.ts';
import {
  LEAST_RETROSPECTIVE_USERS,
  MOST_RETROSPECTIVE_USERS,
  PUBLISHED_POSITIVES,
  PUBLISHED_RATIO,
  RETROSPECTIVE_SLICES,
  RETROSPECTIVE_TRAINING_SHARE,
  type RetrospectiveModelName,
  SIX_FEATURES,
} from '../../domain/retrospective.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { arrays } from './arrays.ts';
import { boosting } from './boosting.ts';
import { daysWithSpells } from './days-with-spells.ts';
import { pairedDifference } from './paired-difference.ts';
import { sqlText } from './sql.ts';
import { storedFigures } from './stored-figures.ts';
import { trainingTypes } from './types.ts';

/** Days between first and last event, as the published recipe counts them: whole ones, at least one. */
const SPAN = 'GREATEST(CEIL(TIMESTAMPDIFF(SECOND, six_first_at, six_last_at) / 86400D), 1)';
const SIX_AGGREGATES = {
  six_first_at: 'MIN(first_event_at)',
  six_last_at: 'MAX(last_event_at)',
  six_level: 'MAX_BY(level, last_event_at)',
  six_registered_at: 'MAX_BY(registered_at, last_event_at)',
  six_sessions: 'SUM(begun_sessions)',
  six_thumbs_up: 'SUM(thumbs_up)',
  six_thumbs_down: 'SUM(thumbs_down)',
  six_errors: 'SUM(errors)',
};
const SIX: Record<(typeof SIX_FEATURES)[number]['name'], string> = {
  is_paid: "COALESCE(INT(six_level = 'paid'), 0)",
  sessions_per_month: `30 * six_sessions / ${SPAN}`,
  thumbs_up_per_day: `six_thumbs_up / ${SPAN}`,
  thumbs_down_per_day: `six_thumbs_down / ${SPAN}`,
  errors_per_day: `six_errors / ${SPAN}`,
  membership_days: 'COALESCE(TIMESTAMPDIFF(SECOND, six_registered_at, six_last_at) / 86400D, 0)',
};
/** Columns of the six features, beside those of the catalogue. */
const SIX_COLUMNS = SIX_FEATURES.map(({ name }) => `six_features_${name}`);
const INPUTS = FEATURES.filter(({ readBy }) => readBy === undefined);
const { aggregate, projection } = compileFeatures(
  INPUTS,
  Object.fromEntries(
    SIX_FEATURES.map(({ name }, index) => [
      SIX_COLUMNS[index],
      { aggregates: SIX_AGGREGATES, expression: SIX[name] },
    ]),
  ),
);

/** The last day of each user that is looked at: of the first cancellation, or else of the last event. */
const ENDS = `
SELECT
  user_id,
  COALESCE(DATE(MIN(last_cancelled_at)), MAX(day)) AS cutoff,
  INT(MAX(last_cancelled_at) IS NOT NULL) AS label
FROM {user_days}
GROUP BY user_id`.trim();

const HISTORY = `
SELECT days.*, cutoff, 'retrospective' AS role, DATE '{first_day}' AS first_day, DATEDIFF(cutoff, day) AS age, label
FROM days JOIN retrospective_ends USING (user_id)
WHERE day < cutoff`.trim();

const NAMES = {
  regression: 'six_features_logistic_regression',
  forest: 'six_features_random_forest',
  trees: 'six_features_boosted_trees',
  ours: 'boosted_trees',
} as const satisfies Readonly<Record<string, RetrospectiveModelName>>;

export const retrospective = fragment({
  file: import.meta.url,
  needs: [trainingTypes, arrays, boosting, pairedDifference, storedFigures, daysWithSpells],
  imports: [
    'import datetime',
    'from collections.abc import Callable',
    'from typing import Any, NamedTuple, TypeAlias',
    'import numpy as np',
    'from pyspark.sql import DataFrame, SparkSession',
    'from pyspark.sql import functions as F',
    'from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier',
    'from sklearn.linear_model import LogisticRegression as PlainLogisticRegression',
    'from sklearn.metrics import roc_auc_score',
    'from sklearn.pipeline import make_pipeline',
    'from sklearn.preprocessing import StandardScaler',
    'from xgboost import XGBClassifier',
  ],
  constants: python`
    MOST_RETROSPECTIVE_USERS = ${MOST_RETROSPECTIVE_USERS}
    LEAST_RETROSPECTIVE_USERS = ${LEAST_RETROSPECTIVE_USERS}
    RETROSPECTIVE_TRAINING_SHARE = ${RETROSPECTIVE_TRAINING_SHARE}
    RETROSPECTIVE_FOLDS = 3
    PUBLISHED_RATIO = ${PUBLISHED_RATIO}
    PUBLISHED_POSITIVES = ${PUBLISHED_POSITIVES}
    RETROSPECTIVE_SLICES: list[RetrospectiveSlice] = ${RETROSPECTIVE_SLICES.map(({ name }) => name)}
    RETROSPECTIVE_INPUTS = ${INPUTS.map(({ name }) => name)}
    SIX_FEATURES = ${SIX_COLUMNS}

    # Each user's days, with sessions that go on over midnight joined.
    # Where each user's history ends, and whether the user ever cancelled.
    RETROSPECTIVE_ENDS = ${sqlText(ENDS)}

    # The days before the own last one.
    RETROSPECTIVE_HISTORY = ${sqlText(HISTORY)}

    # From the feature catalogue, as in build-features, and the six features of the published recipe.
    RETROSPECTIVE_AGGREGATE = ${sqlText(aggregate)}

    RETROSPECTIVE_PROJECTION = ${sqlText(projection)}

    # Makes an untrained classifier of scikit-learn's kind.
    Recipe: TypeAlias = Callable[[int], Any]
  `,
  code: python`
    class RetrospectiveUsers(NamedTuple):
        """Users in the order of their ids: whether they ever cancelled, the six features, and ours."""

        labels: Numbers
        six: Numbers
        ours: Numbers


    class RetrospectiveScores(NamedTuple):
        """What a model gives all users, and what models that had not seen them gave the training users."""

        whole: Numbers
        held_out: Numbers


    # The largest models of the grids that the published analysis searched, with scikit-learn in place of MLlib.
    SIX_FEATURE_RECIPES: dict[RetrospectiveModelName, Recipe] = {
        ${NAMES.regression}: lambda seed: make_pipeline(
            StandardScaler(), PlainLogisticRegression(C=np.inf)
        ),
        ${NAMES.forest}: lambda seed: RandomForestClassifier(
            n_estimators=25, max_depth=7, random_state=seed
        ),
        ${NAMES.trees}: lambda seed: GradientBoostingClassifier(
            n_estimators=20, max_depth=5, random_state=seed
        ),
    }


    def retrospective_users(spark: SparkSession, user_days: DataFrame, end: datetime.date) -> RetrospectiveUsers:
        """The users of the log, or so many of a large one, with what was known before the own last day of each."""
        known = user_days.where(F.col("day") < F.lit(end))
        users, first_day = F.countDistinct("user_id"), F.min("day")
        (counted,) = known.agg(users.alias("users"), first_day.alias("first_day")).collect()
        share = min(1.0, MOST_RETROSPECTIVE_USERS / max(counted.users, 1))
        chosen = F.pmod(F.xxhash64("user_id"), F.lit(1_000_000)) < share * 1_000_000
        compared = known.where(chosen)
        days_with_spells(compared).createOrReplaceTempView("days")
        spark.sql(RETROSPECTIVE_ENDS, user_days=compared).createOrReplaceTempView("retrospective_ends")
        history = RETROSPECTIVE_HISTORY.format(first_day=counted.first_day)
        spark.sql(history).createOrReplaceTempView("history")
        spark.sql(RETROSPECTIVE_AGGREGATE).createOrReplaceTempView("aggregated")
        values = F.array(*SIX_FEATURES, *RETROSPECTIVE_INPUTS).alias("values")
        rows = spark.sql(RETROSPECTIVE_PROJECTION).select("user_id", "label", values).toPandas()
        rows = rows.sort_values("user_id")
        known_values = np.array(rows["values"].tolist(), dtype=float)
        known_values = known_values.reshape(-1, len(SIX_FEATURES) + len(RETROSPECTIVE_INPUTS))
        return RetrospectiveUsers(
            labels=rows["label"].to_numpy(dtype=float),
            six=known_values[:, : len(SIX_FEATURES)],
            ours=known_values[:, len(SIX_FEATURES) :],
        )


    def undersampled(labels: Numbers, generator: np.random.Generator) -> Any:
        """Places of all who cancelled, and of as many of the others as the published ratio asks for."""
        (cancelled,), (stayed,) = np.nonzero(labels == 1), np.nonzero(labels == 0)
        wanted = min(len(stayed), round(len(cancelled) / PUBLISHED_RATIO))
        return np.sort(np.concatenate([cancelled, generator.choice(stayed, wanted, replace=False)]))


    def retrospective_scores(
        recipe: Recipe, values: Numbers, labels: Numbers, is_training: Any, folds: Any, seed: int, is_even: bool
    ) -> RetrospectiveScores:
        """Fits on the training users, and once more without each fold of them.

        @param is_even whether others are left out until five of nine have cancelled, as in the published recipe
        """

        def scored(train: Any, rows: Any) -> Numbers:
            (places,) = np.nonzero(train)
            if is_even:
                places = places[undersampled(labels[places], np.random.default_rng(seed))]
            model = recipe(seed).fit(values[places], labels[places])
            probabilities: Numbers = model.predict_proba(values[rows])[:, 1]
            return probabilities

        held_out = np.zeros(len(labels))
        for fold in range(RETROSPECTIVE_FOLDS):
            rows = is_training & (folds == fold)
            held_out[rows] = scored(is_training & (folds != fold), rows)
        return RetrospectiveScores(scored(is_training, np.ones(len(labels), dtype=bool)), held_out[is_training])


    def weights_of(labels: Numbers, is_reweighted: bool) -> Numbers:
        """One for each user, or as if so many had cancelled as in the published test set."""
        if not is_reweighted:
            return np.ones(len(labels))
        cancelled = PUBLISHED_POSITIVES / (1 - PUBLISHED_POSITIVES) * (labels == 0).sum() / labels.sum()
        return np.where(labels == 1, cancelled, 1.0)


    def best_f1_threshold(scores: Numbers, labels: Numbers, weights: Numbers) -> float:
        """The score from which on users are taken to cancel, for the best F1."""
        order = np.argsort(-scores, kind="stable")
        caught = np.cumsum((weights * labels)[order])
        chosen = np.cumsum(weights[order])
        figure = 2 * caught / (chosen + (weights * labels).sum())
        # Only the last of equal scores takes all of them.
        is_last = np.append(scores[order][1:] != scores[order][:-1], True)
        return float(scores[order][np.argmax(np.where(is_last, figure, -1))])


    def retrospective_figures(
        scores: Numbers, labels: Numbers, weights: Numbers, threshold: float
    ) -> RetrospectiveFigures:
        """The figures of the published table; precision, recall and F1 are of the users who cancelled."""
        taken = scores >= threshold
        caught, all_taken = (weights * labels)[taken].sum(), weights[taken].sum()
        cancelled = (weights * labels).sum()
        right = caught + (weights * (1 - labels))[~taken].sum()
        return {
            "auc": stored(roc_auc_score(labels, scores)),
            "accuracy": stored(right / weights.sum()),
            "recall": stored(caught / cancelled),
            "precision": stored(caught / all_taken) if all_taken > 0 else 0.0,
            "f1": stored(2 * caught / (all_taken + cancelled)),
        }


    def judged_retrospectively(
        name: RetrospectiveModelName, scores: RetrospectiveScores, labels: Numbers, is_training: Any
    ) -> RetrospectiveEvaluation:
        """A model's figures on held-out and on all users, as they are and reweighted."""

        def figures_on(slice_name: RetrospectiveSlice) -> RetrospectiveFigures:
            is_reweighted = slice_name.endswith("reweighted")
            learnt = labels[is_training]
            threshold = best_f1_threshold(scores.held_out, learnt, weights_of(learnt, is_reweighted))
            rows = ~is_training if slice_name.startswith("test") else np.ones(len(labels), dtype=bool)
            weights = weights_of(labels[rows], is_reweighted)
            return retrospective_figures(scores.whole[rows], labels[rows], weights, threshold)

        return {"model": name, "figures": {one: figures_on(one) for one in RETROSPECTIVE_SLICES}}


    def weighted_auc(score: Numbers, label: Numbers, weights: Numbers) -> Numbers:
        """The AUC of each row of weights."""
        order = np.argsort(score, kind="stable")
        _, first = np.unique(score[order], return_index=True)
        counts = weights[:, order]
        positives = np.add.reduceat(counts * label[order], first, axis=1)
        return auc(positives, np.add.reduceat(counts, first, axis=1) - positives)


    def auc_difference(ours: Numbers, theirs: Numbers, labels: Numbers, seed: int) -> Estimate:
        """How much better our scores rank the same users, with the interval of a bootstrap of whole users."""
        paired = PairedRows(labels, ours, theirs, np.ones(len(labels)))

        def difference(weights: Numbers) -> Numbers:
            return weighted_auc(ours, labels, weights) - weighted_auc(theirs, labels, weights)

        drawn = np.concatenate([difference(weights) for weights in resampled_weights(paired, seed)])
        low, high = np.quantile(drawn, INTERVAL)
        value = difference(np.ones((1, len(labels))))[0]
        return {"value": stored(value), "low": stored(low), "high": stored(high)}


    def compare_retrospectively(users: RetrospectiveUsers, seed: int) -> Retrospective | None:
        """All models on one split; None where too few users cancelled, or stayed."""
        labels = users.labels
        if min(labels.sum(), len(labels) - labels.sum()) < LEAST_RETROSPECTIVE_USERS:
            return None
        generator = np.random.default_rng(seed)
        # As at random, but with equal shares of those who cancelled in both parts.
        place = np.zeros(len(labels))
        for outcome in (0, 1):
            rows = labels == outcome
            place[rows] = (generator.permutation(int(rows.sum())) + 0.5) / rows.sum()
        is_training = place < RETROSPECTIVE_TRAINING_SHARE
        folds = np.floor(place * RETROSPECTIVE_FOLDS / RETROSPECTIVE_TRAINING_SHARE)
        scores = {
            name: retrospective_scores(recipe, users.six, labels, is_training, folds, seed, True)
            for name, recipe in SIX_FEATURE_RECIPES.items()
        }
        best = max(scores, key=lambda name: roc_auc_score(labels[~is_training], scores[name].whole[~is_training]))
        # One thread: beside a busy Spark, several wait for each other and cost three times the processor time.
        scores[${NAMES.ours}] = retrospective_scores(
            lambda seed: XGBClassifier(random_state=seed, n_jobs=1, **BOOSTING),
            *(users.ours, labels, is_training, folds, seed, False),
        )
        test = ~is_training
        return {
            "users": len(labels),
            "cancelled": int(labels.sum()),
            "testUsers": int(test.sum()),
            "testCancelled": int(labels[test].sum()),
            "evaluations": [
                judged_retrospectively(name, one, labels, is_training) for name, one in scores.items()
            ],
            "bestSix": best,
            "difference": auc_difference(
                scores[${NAMES.ours}].whole[test], scores[best].whole[test], labels[test], seed
            ),
        }
  `,
});
