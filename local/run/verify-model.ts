/** Whether the model that a run of this machine stored is what its training makes: trained again, and compared. */
import { type ComparedTrainings, comparedTrainings } from './compare-trainings.ts';
import { installedLibraries } from './installed-libraries.ts';
import type { LakeFolder } from './lake-folder.ts';
import {
  type Repeatable,
  repeatable,
  type TrainedFiles,
  type TrainingAgain,
  trainAgain,
} from './train-again.ts';

/** What was compared, and what of it differs. */
export interface Verification extends ComparedTrainings {
  readonly runId: string;
  /** Run of a deployment that has trained again. */
  readonly trainedBy?: string;
  /** Snapshots that both trainings have read, by table. */
  readonly snapshots: Readonly<Record<string, string>>;
  readonly seed: number;
}

/** What a verification needs of this machine. */
export interface Trainer {
  /** Versions that are installed, by the names under which a model has them. */
  readonly libraries: () => Promise<Readonly<Record<string, string>>>;
  readonly train: (training: Repeatable, options: TrainingAgain) => Promise<TrainedFiles>;
}

/**
 * @param scratch empty folder for everything that is written
 * @throws UserError when the training cannot be repeated, or fails
 */
export async function verifyModel(
  lake: LakeFolder,
  runId: string,
  { scratch, signal }: Pick<TrainingAgain, 'scratch' | 'signal'>,
  { libraries, train }: Trainer = { libraries: installedLibraries, train: trainAgain },
): Promise<Verification> {
  const training = await repeatable(lake, runId, libraries);
  const { stored, snapshots, plan } = training;
  const again = await train(training, { lakeFolder: lake.path, scratch, signal });
  return {
    runId,
    snapshots,
    seed: plan.training.seed,
    ...(await comparedTrainings(stored, again)),
  };
}
