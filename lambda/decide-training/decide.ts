/** Whether a run trains: only where it is asked to, or there is something that the last training did not have. Pure. */
import type { FeaturesResult } from '../../domain/results.ts';
import type { LastTraining, TrainingDecision, TrainSettings } from '../../domain/training-decision.ts';

export interface Situation {
  readonly train: TrainSettings;
  readonly cutoffs: FeaturesResult['cutoffs'];
  /** Undefined before the first run that remembered it. */
  readonly last: LastTraining | undefined;
  /** Why the champion cannot score; undefined when it can, or when there is none. */
  readonly championProblem: string | undefined;
}

const ASKED_BY: Readonly<Record<TrainSettings['askedBy'], string>> = {
  request: 'the request says',
  force: 'the run was forced, which means',
  setting: 'the setting says',
  rescoring: 'no file is new and another model was put in charge, which means',
};

/** The cutoffs that are named at most. */
const NAMED = 3;

/** Decides, with the reason. */
export function decideTraining(situation: Situation): TrainingDecision {
  const { mode, askedBy } = situation.train;
  const asked = `${ASKED_BY[askedBy]} to train ${mode}`;
  if (mode === 'always') return { decision: 'train', reason: asked };
  if (mode === 'never') return { decision: 'skip', reason: asked };
  const news = newsOf(situation);
  if (news !== undefined) return { decision: 'train', reason: news };
  const { last } = situation;
  return {
    decision: 'skip',
    reason: `nothing is known that the training of run ${last?.runId} did not have; the newest cutoff with known outcomes is still ${last?.testCutoff}`,
  };
}

function newsOf({ train, cutoffs, last, championProblem }: Situation): string | undefined {
  if (last === undefined) return 'nothing is remembered of an earlier training';
  if (championProblem !== undefined) return `the model in charge cannot be used: ${championProblem}`;
  if (train.fingerprint !== last.fingerprint) {
    return `the training script, its packages, the feature catalogue or the settings have changed since run ${last.runId} trained`;
  }
  const known = cutoffs.filter(({ role }) => role !== 'score');
  const newer = known.filter(({ cutoff }) => cutoff > last.testCutoff);
  if (newer.length > 0) {
    return `the outcomes of the cutoff ${newer.at(-1)?.cutoff} have become known since run ${last.runId} trained`;
  }
  const changed = known.filter(({ cutoff, version }) => last.cutoffs[cutoff] !== version);
  if (changed.length === 0) return undefined;
  const named = changed.slice(-NAMED).map(({ cutoff }) => cutoff);
  return `the rows of ${changed.length === 1 ? 'the cutoff' : `${changed.length} cutoffs, among them`} ${named.join(', ')} have changed since run ${last.runId} trained`;
}
