/** The description of a model, stored beside it: what train-models hands to score-users. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { featureType } from './model-inputs.ts';
import { segmentType } from './segment-regression.ts';

export const calibrationType = fragment({
  file: import.meta.url,
  imports: ['from typing import TypedDict'],
  code: python`
    class Calibration(TypedDict):
        """The log-odds of the probability as a line over the score."""

        slope: float
        intercept: float
  `,
});

export const modelDescription = fragment({
  file: import.meta.url,
  needs: [calibrationType, featureType, segmentType],
  imports: ['from typing import NotRequired, TypedDict'],
  code: python`
    class ScoreBins(TypedDict):
        """Tenths of the test rows by score: the lowest score of each but the first, and the rows of each."""

        starts: list[float]
        rows: list[int]


    class InputBins(TypedDict):
        """Tenths of the test rows by an input: where each but the first begins, and its rows; and how many rows lack it."""

        starts: list[float]
        rows: list[int]
        missing: int


    class ModelDescription(TypedDict):
        """A model without its coefficients or trees."""

        kind: str
        inputs: list[ModelInput]
        calibration: Calibration
        scoreThresholds: dict[str, float]
        runId: str
        horizonDays: int
        testCutoff: str
        # When its last label window had ended; models of older versions lack it.
        trainedUntil: NotRequired[str]
        featuresSnapshot: str
        testScores: ScoreBins
        # Of every input that was learnt; models of older versions lack it.
        testInputs: NotRequired[dict[str, InputBins]]
        # Versions by name; models of older versions lack it.
        libraries: NotRequired[dict[str, str]]
        # Of the kinds that tell users apart.
        segments: NotRequired[SegmentModel]
        # Hash of what the columns of the segments are computed by.
        segmentDefinitions: NotRequired[dict[str, str]]
  `,
});
