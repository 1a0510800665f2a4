/** The champion on the newest test rows: its stored model, inputs, calibration and thresholds, as they are. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { scoring } from './candidates.ts';
import { evaluation } from './evaluation.ts';
import { files } from './files.ts';
import { histograms } from './histograms.ts';
import { inputCatalogue, inputVector } from './model-inputs.ts';
import { loading } from './model-storage.ts';
import { pairedDifference } from './paired-difference.ts';
import { testedModel } from './slices.ts';
import { scoreBins } from './stability-index.ts';
import { planTypes, trainingTypes } from './types.ts';

export const champion = fragment({
  file: import.meta.url,
  needs: [
    ...[planTypes, trainingTypes, files, histograms, inputCatalogue, inputVector, loading, scoring],
    ...[evaluation, pairedDifference, scoreBins, testedModel],
  ],
  imports: [
    'import datetime',
    'import traceback',
    'from typing import NamedTuple, cast',
    'from pyspark.ml.functions import array_to_vector',
    'from pyspark.sql import DataFrame',
    'from pyspark.sql import functions as F',
  ],
  constants: python`
    # A model that was tested together with a challenger: frames of user_id, label and raw_score.
    TEST_SCORE_COLUMNS = ["user_id", "label", "raw_score"]
  `,
  code: python`
    class CheckedChampion(NamedTuple):
        """How the champion does, and its scores of the test rows where it is usable; nothing without a champion."""

        test: ChampionTest | None
        model: TestedModel | None


    def why_not_usable(description: ModelDescription, horizon_days: int) -> str | None:
        """Why a stored model cannot score the rows of this run; none when it can."""
        if description["horizonDays"] != horizon_days:
            return f"it predicts {description['horizonDays']} days ahead, and this run {horizon_days}"
        stored_inputs = {feature["name"]: feature.get("definition") for feature in description["inputs"]}
        stored_inputs.update(description.get("segmentDefinitions", {}))
        if None in stored_inputs.values():
            return "an older version stored it, without the definitions of its inputs"
        changed = [name for name, definition in stored_inputs.items() if DEFINITIONS.get(name) != definition]
        if changed:
            return f"the feature catalogue has changed since: {', '.join(sorted(changed))}"
        if description["kind"] not in KINDS:
            return f"this version has no model of the kind {description['kind']}"
        return None


    def readable(error: Exception) -> str:
        """The first line of an error, shortened."""
        return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


    def scored_by(description: ModelDescription, model: CandidateModel | None, test: DataFrame) -> DataFrame:
        """Test rows with the stored model's score, one row a user."""
        rows = test.select(
            "user_id",
            F.col("label").cast("double").alias("label"),
            *segment_source(),
            array_to_vector(input_array(description["inputs"])).alias("features"),
        )
        names = [feature["name"] for feature in description["inputs"]]
        scored = with_raw_score(description["kind"], model, rows, description.get("segments"), names)
        return scored.select(*TEST_SCORE_COLUMNS)


    def check_champion(
        files: Files, plan: Plan, test: DataFrame, cutoff: datetime.date, challenger: DataFrame | None
    ) -> CheckedChampion:
        """How the champion does on the test rows, and how much better the challenger ranks.

        @param challenger the challenger's test rows with their scores; none when there is no challenger
        """
        in_charge = plan["champion"]
        if in_charge is None:
            return CheckedChampion(None, None)
        checked: ChampionTest = {
            "runId": in_charge["runId"],
            "modelUri": in_charge["modelUri"],
            "testCutoff": in_charge["testCutoff"],
            "notUsable": None,
            "comparable": False,
            "evaluation": None,
            "difference": None,
            "testScores": None,
        }
        settings = plan["training"]
        try:
            description = describe(files, in_charge["modelUri"])
            reason = why_not_usable(description, settings["horizonDays"])
            model = load_model(description, in_charge["modelUri"]) if reason is None else None
        except Exception as error:
            # Whatever is wrong with its files, the run goes on without it, and people read why.
            traceback.print_exc()
            reason = f"its files cannot be read: {readable(error)}"
        if reason is not None:
            checked["notUsable"] = reason
            return CheckedChampion(checked, None)

        scored = scored_by(description, model, test).cache()
        histogram = histogram_of(scored)
        rows = int(histogram.rows.sum())
        difference = None
        if challenger is not None:
            paired = paired_rows(challenger, scored, rows)
            difference = precision_difference(paired, rows, settings["seed"])
        trained_until = description.get("trainedUntil", description["testCutoff"])
        kind = cast(ModelName, description["kind"])
        thresholds = cast(dict[ThresholdRule, float], description["scoreThresholds"])
        checked["comparable"] = trained_until <= str(cutoff)
        checked["evaluation"] = evaluate_stored(
            kind, histogram, description["calibration"], thresholds, settings["seed"]
        )
        checked["difference"] = difference
        checked["testScores"] = {**score_bins(histogram)}
        return CheckedChampion(checked, TestedModel(scored, description["calibration"]))
  `,
});
