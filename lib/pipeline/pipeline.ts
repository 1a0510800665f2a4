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

/** Defines every state of a run. Any failure leads to CloseRun, then to Failed. */
export function definePipeline(on: Pipeline): IChainable {
  const closing = closeRun(on, failed(on));

  const scoring = chooseModel(on).next(runStep(on, 'ScoreUsers')).next(terminateCluster(on));

  const working = useCluster(
    on,
    createCluster(on)
      .next(runStep(on, 'IngestEvents'))
      .next(runStep(on, 'BuildFeatures'))
      .next(decideTraining(on))
      .next(trainOrNot(on, { train: runStep(on, 'TrainModels').next(scoring), skip: scoring })),
  )
    .addCatch(closing)
    .next(reconcileLake(on).addCatch(closing))
    .next(storeMetrics(on).addCatch(closing))
    .next(renderReport(on).addCatch(closing))
    .next(notifySuccess(on).addCatch(closing));

  return planRun(on)
    .addCatch(closing)
    .next(anythingToDo(on, { run: working, 'nothing-to-do': nothingToDo(on), refused: refused(on) }));
}
