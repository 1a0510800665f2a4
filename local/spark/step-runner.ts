/** What runs the steps of a local cluster. */
import type { ProcessIdentity } from '../processes/identity.ts';
import type { SparkProgress } from './progress.ts';

export interface StepRun {
  /** The script and its arguments, as spark-submit takes them. */
  readonly script: string;
  readonly arguments: readonly string[];
  readonly configurationFolder: string;
  readonly workingFolder: string;
  /** As spark-submit takes them. */
  readonly javaOptions: string;
  /** Receives everything that the step prints; the processor time it took is written to `<name>.times` beside it. */
  readonly logFile: string;
  readonly signal: AbortSignal;
  readonly onStart: (leader: ProcessIdentity) => Promise<void>;
  readonly onProgress: (progress: SparkProgress) => void;
}

/** Runs a step; returns its exit code, or undefined if the signal stopped it. */
export type StepRunner = (step: StepRun) => Promise<number | undefined>;
