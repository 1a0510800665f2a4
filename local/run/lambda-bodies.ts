/** The Lambdas by name. The cloud calls each through its handler; the local run calls them through this list. */
import type { FunctionName } from '../../domain/operations.ts';
import { chooseModelOfRun } from '../../lambda/choose-model/choose-model.ts';
import { closeRun } from '../../lambda/close-run/close-run.ts';
import { decideTrainingOfRun } from '../../lambda/decide-training/decide-training.ts';
import { renderReport } from '../../lambda/render-report/render-report.ts';
import type { LambdaFunction } from '../../lambda/run/world.ts';
import { planRun } from '../../lambda/start-training/plan-run.ts';
import { storeMetrics } from '../../lambda/store-metrics/store-metrics.ts';
import { localPageScript } from './page-script.ts';

export const FUNCTIONS: Readonly<Record<FunctionName, LambdaFunction<unknown>>> = {
  'start-training': planRun,
  'decide-training': decideTrainingOfRun,
  'choose-model': chooseModelOfRun,
  'store-metrics': storeMetrics,
  'render-report': (input, world) => renderReport(input, world, localPageScript),
  'close-run': closeRun,
};
