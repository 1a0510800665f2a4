/** ChooseModel as a state: what it reads, what it writes, and when it must not go on. */
import { beforeEach, describe, expect, it } from 'vitest';
import { choiceSchema } from '../../../domain/choice.ts';
import { CHOICE, CURRENT, PLAN } from '../../../domain/lake-objects.ts';
import { chooseModelOfRun } from '../../../lambda/choose-model/choose-model.ts';
import { arnOf, MemoryPorts } from '../../support/memory-ports.ts';
import {
  at,
  EVENTS,
  plan,
  planOf,
  putDecision,
  putResult,
  runStep,
  worldOn,
} from '../../support/run-fixture.ts';

let ports: MemoryPorts;
const input = { runId: 'run-1', executionArn: arnOf('run-1'), planUri: at(PLAN.of('run-1').key) };
const choose = () => chooseModelOfRun(input, worldOn(ports));
const written = () =>
  choiceSchema.parse(JSON.parse(ports.objects.text(at(CHOICE.of('run-1').key)) ?? 'null'));

beforeEach(async () => {
  ports = new MemoryPorts();
  ports.objects.put(`${EVENTS}/2018-10-01.json`, 'events');
  await plan(ports, 'run-1');
  for (const step of ['ingest-events', 'build-features', 'train-models'] as const)
    runStep(ports, 'run-1', step);
  putDecision(ports, 'run-1', { decision: 'train', reason: 'the first run' });
});

describe('ChooseModel', () => {
  it('writes the choice where the plan says, and shows it in the console', async () => {
    expect(await choose()).toEqual({
      scores: 'the model of run run-1',
      reason: 'the first model: it beats every baseline by AUC and average precision',
    });
    expect(at(CHOICE.of('run-1').key)).toBe(planOf(ports, 'run-1').outputs.choice);
    expect(written()).toMatchObject({ runId: 'run-1', rule: 'first', makesCurrent: true });
  });

  it('writes the same when it runs twice', async () => {
    await choose();
    const first = written();
    await choose();
    expect(written()).toEqual(first);
  });

  it('does not look for a new model where nothing was trained', async () => {
    putDecision(ports, 'run-1', { decision: 'skip', reason: 'the request says to train never' });
    putResult(ports, 'run-1', 'train-models', {});
    expect(await choose()).toEqual({
      scores: 'no model',
      reason: 'nobody is in charge, and nothing was trained: the request says to train never',
    });
    expect(written()).toMatchObject({ rule: 'nobody', makesCurrent: true });
  });

  it('does not go on when the run was closed and another holds the lease', async () => {
    ports.executions.set('run-1', 'TIMED_OUT');
    await plan(ports, 'run-2');
    await expect(choose()).rejects.toMatchObject({ name: 'LeaseLost' });
    expect(ports.objects.text(at(CHOICE.of('run-1').key))).toBeUndefined();
  });

  it('does not go on when another model is in charge than the one that was tested', async () => {
    ports.objects.put(at(CURRENT.key), JSON.stringify({ runId: 'run-0', batchId: 'b', champion: null }));
    await expect(choose()).rejects.toMatchObject({ name: 'ChampionChanged' });
  });

  it('names the result that is malformed', async () => {
    putResult(ports, 'run-1', 'train-models', {});
    await expect(choose()).rejects.toThrow(/result of train-models/);
  });
});
