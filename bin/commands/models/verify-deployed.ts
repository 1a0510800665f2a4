/**
 * `churn models --verify <run> --stage …`: says what a training costs and asks; then a run of the pipeline trains again, and its
 * model is compared with the stored one here. docs/decisions/verify-a-model.md
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modelIn, PLAN, RUN_DETAIL, STEP_RESULT } from '../../../domain/lake-objects.ts';
import { hasTrained } from '../../../domain/records.ts';
import { VERIFYING_STATES } from '../../../domain/states.ts';
import { trainingAgain } from '../../../domain/training-again.ts';
import { UserError } from '../../../domain/user-error.ts';
import type { Lake } from '../../../lambda/run/lake.ts';
import { comparedTrainings } from '../../../local/run/compare-trainings.ts';
import type { Verification } from '../../../local/run/verify-model.ts';
import { isAnsweredYes } from '../../terminal/ask.ts';
import { displayFor } from '../../terminal/choose-display.ts';
import { ProgressLine } from '../../terminal/pace.ts';
import type { DeployedPipeline } from '../deployed/deployed-pipeline.ts';
import { fetchTraining, type ObjectFiles } from '../deployed/fetch-model.ts';
import { follow } from '../deployed/follow.ts';
import { newRunId, regionOf } from '../deployed/names.ts';
import { type PipelineOptions, pipelineWords } from '../deployed/options.ts';
import { outcomeText } from '../deployed/text.ts';
import { type LakeOptions, openWorld } from './open-world.ts';

export interface VerifyOptions {
  /** Start without asking. */
  readonly yes: boolean;
  /** A run that has trained the model again already. */
  readonly trainedAgain?: string;
}

type Pipeline = Pick<DeployedPipeline, 'start' | 'describe' | 'history' | 'definition'>;

/** Undefined where nothing could be compared: the answer was no, or the run failed or goes on without this command. */
export async function verifyDeployed(
  runId: string,
  options: LakeOptions & PipelineOptions & VerifyOptions,
): Promise<Verification | undefined> {
  const { openPipeline } = await import('../deployed/deployed-pipeline.ts');
  const pipeline = await openPipeline(options, process.env);
  const { lake } = await openWorld(options);
  const trainedBy = options.trainedAgain ?? (await startedAndEnded(pipeline, { lake, runId, options }));
  if (trainedBy === undefined) return undefined;
  const { filesInS3 } = await import('../deployed/fetch-model.ts');
  const files = filesInS3(regionOf(pipeline.stateMachineArn));
  return new ProgressLine(process.stderr).during('Copying and comparing both models', () =>
    compareRuns(lake, files, { runId, trainedBy }),
  );
}

interface Asked {
  readonly lake: Lake;
  readonly runId: string;
  readonly options: PipelineOptions & VerifyOptions;
}

/** Asks, starts a run and follows it. @returns its id once it has trained; undefined where it has not */
export async function startedAndEnded(
  pipeline: Pipeline,
  { lake, runId, options }: Asked,
): Promise<string | undefined> {
  const offer = await offerText(lake, runId);
  if (options.yes) process.stderr.write(`${offer}\n`);
  else if (!(await isAnsweredYes(`${offer} Start it?`, '--yes starts it without asking'))) {
    process.stderr.write('Nothing was started.\n');
    return undefined;
  }
  const trainedBy = newRunId(new Date(), randomBytes(2).toString('hex'), 'verify');
  const executionArn = await pipeline.start(trainedBy, { verify: runId });
  const controller = new AbortController();
  const interrupt = (): void => controller.abort();
  process.once('SIGINT', interrupt);
  try {
    const outcome = await follow({
      pipeline,
      executionArn,
      displayOf: () => displayFor(VERIFYING_STATES, process.stderr, process.env),
      signal: controller.signal,
    });
    if (outcome.status === 'SUCCEEDED') return trainedBy;
    process.stderr.write(
      outcome.status === 'RUNNING'
        ? `Run ${trainedBy} continues (\`churn stop\` stops it). Once it has ended, compare: churn models --verify ${runId} --trained-again ${trainedBy}${pipelineWords(options)}\n`
        : `\n${outcomeText(outcome)}`,
    );
    return undefined;
  } finally {
    process.off('SIGINT', interrupt);
  }
}

/**
 * What training again takes, and what it does.
 * @throws UserError when there is no such run, it has not trained, or its model is gone
 */
export async function offerText(lake: Lake, runId: string): Promise<string> {
  const detail = await lake.glimpse(RUN_DETAIL.of(runId));
  if (detail === undefined) {
    throw new UserError(
      `The lake ${lake.root} has no run ${runId} that succeeded and that this version can read: \`churn models\` lists its runs.`,
    );
  }
  if (!hasTrained(detail)) {
    throw new UserError(
      `Run ${runId} has trained no model: name a run that has (\`churn models\` lists the runs).`,
    );
  }
  const model = modelIn(detail.plan.outputs.model);
  if (!(await lake.has(model))) {
    throw new UserError(
      `The model of run ${runId} is not at ${lake.uri(model)} any more: verify another run.`,
    );
  }
  const { instances, minutes, usd, isMeasured } = trainingAgain(detail);
  return (
    `Training the model of run ${runId} again takes a cluster of ${instances} instances for ` +
    (isMeasured
      ? `about ${minutes} minutes, as it did in that run`
      : `at most ${minutes} minutes, the estimate of that whole run`) +
    `: up to ${usd.toFixed(2)} USD at list prices. It writes models/ and runs/ of its own, and nothing becomes current.`
  );
}

/**
 * Compares the stored model of a run with the one that another run has trained again.
 * @throws UserError when that run has not done this
 */
export async function compareRuns(
  lake: Lake,
  files: ObjectFiles,
  { runId, trainedBy }: { readonly runId: string; readonly trainedBy: string },
): Promise<Verification> {
  const again = await lake.glimpse(PLAN.of(trainedBy));
  if (again?.verifies !== runId) {
    throw new UserError(
      `Run ${trainedBy} has not trained the model of run ${runId} again: \`churn models --verify ${runId}\` with --stage, and without --trained-again, starts a run that does.`,
    );
  }
  const plan = await lake.read(PLAN.of(runId));
  const { snapshots } = await lake.read(
    STEP_RESULT['build-features'].at(plan.outputs.results['build-features']),
  );
  const scratch = await mkdtemp(join(tmpdir(), 'churn-verify-'));
  try {
    const stored = await fetchTraining(files, plan, join(scratch, 'stored'));
    const trained = await fetchTraining(files, again, join(scratch, 'again'));
    // The description names the run that has trained: of the model, it says nothing.
    const description = { ...Object(trained.description), runId: Object(stored.description).runId };
    return {
      runId,
      trainedBy,
      snapshots: { features: snapshots.features, user_days: snapshots.user_days },
      seed: plan.training.seed,
      ...(await comparedTrainings(stored, { ...trained, description })),
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
