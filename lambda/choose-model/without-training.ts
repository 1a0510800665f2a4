/** Who scores in a run that has not trained: the champion, if it can, or nobody. Pure. */
import type { Choice } from '../../domain/choice.ts';
import { modelAgeDays, modelAgeText } from '../../domain/model-age.ts';
import type { FeaturesResult } from '../../domain/results.ts';
import type { RunPlan } from '../../domain/run.ts';
import type { FoundScorer } from '../run/stored-model.ts';

export interface Untrained {
  readonly plan: Pick<RunPlan, 'runId' | 'champion' | 'observedBefore'> & {
    readonly training: Pick<RunPlan['training'], 'horizonDays'>;
  };
  readonly features: Pick<FeaturesResult, 'cutoffs' | 'observationEnd'>;
  /** Undefined where there is no champion. */
  readonly scorer: FoundScorer | undefined;
  /** Why nothing was trained, as a clause. */
  readonly why: string;
}

/** The choice, with the reasons, but for whether it makes anything current. */
export function chooseWithoutTraining({
  plan,
  features,
  scorer,
  why,
}: Untrained): Omit<Choice, 'makesCurrent'> {
  const test = features.cutoffs.find(({ role }) => role === 'test');
  const choice = {
    runId: plan.runId,
    challengerScores: false,
    baseRate: test === undefined || test.rows === 0 ? 0 : (test.cancellations ?? 0) / test.rows,
    gates: [],
    difference: null,
  };
  const { champion } = plan;
  if (champion === null || scorer?.kind === undefined) {
    const nobody =
      champion === null
        ? 'nobody is in charge'
        : `the champion of run ${champion.runId} cannot be used: ${scorer?.problem ?? 'it was not found'}`;
    const reasons = [`${nobody}, and nothing was trained: ${why}`];
    return { ...choice, rule: 'nobody', scorer: null, list: 'no', comparedWith: null, reasons };
  }
  const { runId, modelUri, testCutoff, withheld = false } = champion;
  const age = modelAgeDays(testCutoff, plan.training.horizonDays, features.observationEnd);
  return {
    ...choice,
    rule: 'in_charge',
    scorer: { runId, modelUri, testCutoff, model: scorer.kind, testScores: null },
    list: withheld ? 'order only' : 'yes',
    comparedWith: modelUri,
    reasons: [
      `the model of run ${runId} is in charge (${modelAgeText(age)}), and nothing was trained: ${why}`,
      ...(withheld
        ? [
            'its probabilities are withheld, only its order holds: they were not believed when it was last tested',
          ]
        : []),
    ],
  };
}
