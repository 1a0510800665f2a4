/** A retraining run as Step Functions runs it, state after state; docs/states.md shows it as a picture. */
import type { IChainable } from 'aws-cdk-lib/aws-stepfunctions';
import type { Pipeline } from './resources.ts';
import { chooseModel } from './states/choose-model.ts';
import { closeRun, failed } from './states/close-run.ts';
import { createCluster, terminateCluster, useCluster } from './states/cluster.ts';
import { decideTraining, trainOrNot } from './states/decide-training.ts';
import { anythingToDo, nothingToDo, planRun, refused } from './states/plan-run.ts';
import { reconcileLake } from './states/reconcile-lake.ts';
import { notifySuccess, renderReport, storeMetrics } from './states/results.ts';
import { runStep } from './states/spark-step.ts';
import { trainedAgain, verifyOr } from './states/verification.ts';

/** Defines every state of a run. Any failure leads to CloseRun, then to Failed. */
export function definePipeline(on: Pipeline): IChainable {
  const closing = closeRun(on, failed(on));

  const terminating = terminateCluster(on);
  const scoring = chooseModel(on).next(runStep(on, 'ScoreUsers')).next(terminating);
  const training = runStep(on, 'TrainModels').next(
    verifyOr(on, 'VerifyOrChoose', { run: scoring, verify: terminating }),
  );
  const ingesting = runStep(on, 'IngestEvents')
    .next(runStep(on, 'BuildFeatures'))
    .next(decideTraining(on))
    .next(trainOrNot(on, { train: training, skip: scoring }));

  const storing = reconcileLake(on)
    .addCatch(closing)
    .next(storeMetrics(on).addCatch(closing))
    .next(renderReport(on).addCatch(closing))
    .next(notifySuccess(on).addCatch(closing));

  const working = useCluster(
    on,
    createCluster(on).next(verifyOr(on, 'VerifyOrIngest', { run: ingesting, verify: training })),
  )
    .addCatch(closing)
    .next(verifyOr(on, 'VerifyOrReconcile', { run: storing, verify: trainedAgain(on) }));

  return planRun(on)
    .addCatch(closing)
    .next(
      anythingToDo(on, {
        run: working,
        verify: working,
        'nothing-to-do': nothingToDo(on),
        refused: refused(on),
      }),
    );
}
