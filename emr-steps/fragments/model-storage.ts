/** A model where it is stored: its own files, and beside them its description. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { candidateType } from './candidates.ts';
import { files } from './files.ts';
import { modelDescription } from './model-description.ts';
import { stepError } from './step-error.ts';

/** For train-models. */
export const storing = fragment({
  file: import.meta.url,
  needs: [files, modelDescription, candidateType],
  code: python`
    def store(files: Files, folder: str, description: ModelDescription, model: CandidateModel | None) -> None:
        """Writes the model and then its description, which is what a reader looks for."""
        if model is not None:
            model.write().overwrite().save(f"{folder}/model")
        files.write_json(f"{folder}/model.json", description)
  `,
});

/** For score-users, and for the champion in train-models. */
export const loading = fragment({
  file: import.meta.url,
  needs: [files, stepError, modelDescription, candidateType],
  imports: [
    'from collections.abc import Callable',
    'from pyspark.ml import classification',
    'from xgboost.spark import SparkXGBClassifierModel',
  ],
  constants: python`
    LOADERS: dict[str, Callable[[str], CandidateModel]] = {
        "logistic_regression": classification.LogisticRegressionModel.load,
        "random_forest": classification.RandomForestClassificationModel.load,
        "boosted_trees": SparkXGBClassifierModel.load,
        "segments_and_trees": SparkXGBClassifierModel.load,
    }
    # A regression on segments is the numbers of its description.
    KINDS = {*LOADERS, "segments", "base_rate"}
  `,
  code: python`
    def describe(files: Files, folder: str) -> ModelDescription:
        """A stored model's description."""
        if not files.exists(f"{folder}/model.json"):
            raise StepError(
                f"there is no model at {folder}",
                "train-models has not run for this plan, or its output was removed",
                "run the pipeline from train-models",
            )
        description: ModelDescription = files.read_json(f"{folder}/model.json")
        return description


    def load_model(description: ModelDescription, folder: str) -> CandidateModel | None:
        """The stored model itself (none where the description says all)."""
        loader = LOADERS.get(description["kind"])
        return loader(f"{folder}/model") if loader else None


    def load(files: Files, folder: str) -> tuple[ModelDescription, CandidateModel | None]:
        """A stored model's description, and the model."""
        description = describe(files, folder)
        return description, load_model(description, folder)
  `,
});
