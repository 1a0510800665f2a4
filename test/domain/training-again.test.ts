/** What training a model again is said to take. */
import { beforeAll, expect, it } from 'vitest';
import type { RunDetail, StateCost } from '../../domain/records.ts';
import { VERIFYING_STATES } from '../../domain/states.ts';
import { trainingAgain } from '../../domain/training-again.ts';
import { storedRun } from '../support/stored-run.ts';

let plan: RunDetail['plan'];
beforeAll(async () => {
  ({ plan } = (await storedRun()).detail);
});

const state = (name: string, minutes: number): StateCost => ({ name, seconds: minutes * 60, usd: null });
const states = [
  ...[state('PlanRun', 1), state('CreateCluster', 8), state('IngestEvents', 100), state('TrainModels', 9)],
  ...[state('ScoreUsers', 50), state('TerminateCluster', 2)],
];

it('is what the states that are needed took in the run, on its cluster', () => {
  const found = trainingAgain({ plan, states });
  expect(found).toMatchObject({ instances: plan.cluster.executors + 1, minutes: 20, isMeasured: true });
  const half = trainingAgain({ plan, states: states.map((one) => ({ ...one, seconds: one.seconds / 2 })) });
  expect(found.usd / half.usd).toBeCloseTo(2, 0);
  // Four instances of about 0.2 to 0.3 USD an hour, for a third of an hour.
  expect(found.usd).toBeGreaterThan(0.2);
  expect(found.usd).toBeLessThan(0.6);
});

it('is the estimate of the whole run where its times are not known, or are not those of this training', () => {
  const estimate = {
    minutes: plan.cluster.estimatedMinutes,
    usd: plan.cluster.estimatedUsd,
    isMeasured: false,
  };
  expect(trainingAgain({ plan })).toMatchObject(estimate);
  for (const name of VERIFYING_STATES)
    expect(trainingAgain({ plan, states: states.filter((one) => one.name !== name) })).toMatchObject(
      estimate,
    );
  const results = { ...plan.outputs.results, 'train-models': `${plan.lakeRoot}/runs/another/results/x.json` };
  expect(trainingAgain({ plan: { ...plan, outputs: { ...plan.outputs, results } }, states })).toMatchObject(
    estimate,
  );
});
