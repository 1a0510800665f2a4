/**
 * Scores by a model on the driver: the same that Spark computes. Where a few thousand users are scored a hundred times, with
 * other values each time, a hundred small jobs would take minutes.
 */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { arrays } from './arrays.ts';
import { scoring } from './candidates.ts';
import { mixture } from './mixture.ts';
import { segmentRegression } from './segment-regression.ts';

export const scoresInNumpy = fragment({
  file: import.meta.url,
  needs: [arrays, mixture, segmentRegression, scoring],
  imports: [
    'import dataclasses',
    'import numpy as np',
    'import numpy.typing as npt',
    'from pyspark.ml import classification',
    'from pyspark.sql import SparkSession',
    'from pyspark.sql import functions as F',
    'from xgboost.spark import SparkXGBClassifierModel',
  ],
  code: python`
    @dataclasses.dataclass(frozen=True)
    class UserValues:
        """What models read of users, a row for each; a column for each input, and for each channel of the segments."""

        inputs: Numbers
        is_paid: Numbers
        channels: ChannelCounts


    @dataclasses.dataclass(frozen=True)
    class Forest:
        """The nodes of all trees one after another; a leaf leads to itself."""

        roots: npt.NDArray[np.int64]
        feature: npt.NDArray[np.int64]
        threshold: Numbers
        # Of each node two: where a value goes that is not above the threshold, and where one goes that is.
        children: npt.NDArray[np.int64]
        # Of training rows in the node, the share that cancelled.
        share: Numbers
        depth: int


    @dataclasses.dataclass(frozen=True)
    class ScoreFunction:
        """A candidate as numpy computes it."""

        model: CandidateModel | None
        segments: SegmentModel | None
        names: list[str]
        forest: Forest | None

        def __call__(self, users: UserValues) -> Numbers:
            """Log-odds of each user, rounded as raw scores are."""
            return np.round(self.exact(users), SCORE_DECIMALS) + 0.0

        def exact(self, users: UserValues) -> Numbers:
            """Log-odds of each user."""
            if self.segments is None:
                return self.of_inputs(users.inputs)
            regression = self.segments["regression"]
            columns = segment_columns(
                log_posteriors(users.channels, self.segments["mixture"]),
                np.array(regression["hazards"]),
                users.is_paid,
                {name: users.inputs[:, self.names.index(name)] for name in regression["plain"]},
                regression["plain"],
            )
            by_segments: Numbers = columns @ np.array(regression["weights"]) + regression["intercept"]
            if self.model is None:
                return by_segments
            told = columns[:, : 1 + len(self.segments["mixture"]["sizes"])]
            return (by_segments + self.of_inputs(np.column_stack([users.inputs, told]))) / 2

        def of_inputs(self, inputs: Numbers) -> Numbers:
            """Log-odds by the model of Spark or XGBoost."""
            if self.forest is not None:
                share = forest_shares(self.forest, inputs)
                return np.log((share + LEAST_PROBABILITY) / (1 - share + LEAST_PROBABILITY))
            if isinstance(self.model, SparkXGBClassifierModel):
                margins: Numbers = self.model.get_booster().inplace_predict(inputs, predict_type="margin")
                return margins.astype(float)
            if isinstance(self.model, classification.LogisticRegressionModel):
                log_odds: Numbers = inputs @ self.model.coefficients.toArray() + self.model.intercept
                return log_odds
            return np.zeros(len(inputs))


    def score_function(
        spark: SparkSession,
        model: CandidateModel | None,
        segments: SegmentModel | None,
        names: list[str],
        folder: str,
    ) -> ScoreFunction:
        """A candidate that has been stored in a folder; takes the names of its inputs, in their order."""
        is_forest = isinstance(model, classification.RandomForestClassificationModel)
        return ScoreFunction(model, segments, names, read_forest(spark, folder) if is_forest else None)


    def read_forest(spark: SparkSession, folder: str) -> Forest:
        """The trees of a stored forest, from the files in which Spark keeps them: in memory they are the JVM's."""
        node = "nodeData"
        nodes = (
            spark.read.parquet(f"{folder}/model/data")
            .select(
                F.col("treeID").alias("tree"),
                F.col(f"{node}.id").alias("id"),
                F.col(f"{node}.split.featureIndex").alias("feature"),
                F.try_element_at(f"{node}.split.leftCategoriesOrThreshold", F.lit(1)).alias("threshold"),
                F.col(f"{node}.leftChild").alias("left"),
                F.col(f"{node}.rightChild").alias("right"),
                F.element_at(f"{node}.impurityStats", 1).alias("stayed"),
                F.element_at(f"{node}.impurityStats", 2).alias("cancelled"),
            )
            .toPandas()
            .sort_values(["tree", "id"])
        )
        tree = nodes["tree"].to_numpy(dtype=np.int64)
        roots = np.searchsorted(tree, np.unique(tree))
        place = np.arange(len(nodes))
        feature = nodes["feature"].to_numpy(dtype=np.int64)
        is_leaf = feature < 0
        first = roots[np.unique(tree, return_inverse=True)[1]]
        sides = [first + nodes[side].to_numpy(dtype=np.int64) for side in ("left", "right")]
        children = np.column_stack([np.where(is_leaf, place, side) for side in sides])
        cancelled, stayed = nodes["cancelled"].to_numpy(dtype=float), nodes["stayed"].to_numpy(dtype=float)
        return Forest(
            roots=roots,
            feature=np.maximum(feature, 0),
            threshold=nodes["threshold"].fillna(0).to_numpy(dtype=float),
            children=children.ravel(),
            share=cancelled / (cancelled + stayed),
            depth=forest_depth(roots, children),
        )


    def forest_depth(roots: npt.NDArray[np.int64], children: npt.NDArray[np.int64]) -> int:
        """Steps from the roots after which every path has ended."""
        depth, reached = 0, roots
        while (children[reached] != reached[:, None]).any():
            depth, reached = depth + 1, np.unique(children[reached])
        return depth


    def forest_shares(forest: Forest, inputs: Numbers) -> Numbers:
        """The mean share of the leaves that each user reaches."""
        values, width = np.ascontiguousarray(inputs).ravel(), inputs.shape[1]
        start = (np.arange(len(inputs)) * width)[:, None]
        reached = np.broadcast_to(forest.roots, (len(inputs), len(forest.roots)))
        for _ in range(forest.depth):
            is_above = values[start + forest.feature[reached]] > forest.threshold[reached]
            reached = forest.children[2 * reached + is_above]
        shares: Numbers = forest.share[reached].mean(axis=1)
        return shares
  `,
});
