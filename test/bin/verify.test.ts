/** What `churn models --verify` says, on this machine and of a deployment. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { ObjectFiles } from '../../bin/commands/deployed/fetch-model.ts';
import { compareRuns, offerText, startedAndEnded } from '../../bin/commands/models/verify-deployed.ts';
import { verificationText } from '../../bin/commands/models/verify-text.ts';
import { MODEL, modelFolder } from '../../domain/lake-objects.ts';
import { UserError } from '../../domain/user-error.ts';
import { Lake } from '../../lambda/run/lake.ts';
import { checkRequest } from '../../lambda/start-training/request.ts';
import { storeMetrics } from '../../lambda/store-metrics/store-metrics.ts';
import type { Verification } from '../../local/run/verify-model.ts';
import { MemoryPorts } from '../support/memory-ports.ts';
import {
  at,
  DEPLOYMENT,
  EVENTS,
  FEATURES,
  LAKE,
  plan,
  planOf,
  putModel,
  runStep,
  runSteps,
  runWithoutTraining,
  storeMetricsInput,
  worldOn,
} from '../support/run-fixture.ts';

describe('a verification', () => {
  const found: Verification = {
    runId: 'run-1',
    snapshots: { features: '11', user_days: '12' },
    seed: 5,
    documents: ['model.json', 'train-models.json'],
    differences: [],
  };

  it('names what was read, what agrees and what was not compared', () => {
    const text = verificationText(found);
    expect(text).toMatch(/run run-1 .*snapshots features 11 and user_days 12, .*seed 5\.\n/);
    expect(text).toContain('It is the same model: model.json, train-models.json hold the same values');
    expect(text).toMatch(/Not compared: fitSeconds \(.*\), modelUri \(.*\)\.\n$/);
  });

  it('names each value that differs, up to twenty', () => {
    const difference = { place: 'model.json segments.intercept', stored: -2.5, again: undefined };
    const one = verificationText({ ...found, differences: [difference] });
    expect(one).toContain(
      'It is not the same model: 1 value differs.\n  model.json segments.intercept: -2.5 stored, nothing now\n',
    );
    const many = verificationText({ ...found, differences: Array.from({ length: 22 }, () => difference) });
    expect(many.match(/-2\.5 stored/g)).toHaveLength(20);
    expect(many).toContain('and 2 more (--json has all)');
  });
});

describe('a verification of a deployment', () => {
  const ports = new MemoryPorts();
  const lake = new Lake(ports.objects, LAKE);

  beforeAll(async () => {
    ports.objects.put(`${EVENTS}/2018-10-01.json`, 'events');
    for (const runId of ['trained', 'scored']) {
      await plan(ports, runId, runId === 'scored' ? { force: true, train: 'never' } : {});
      if (runId === 'trained') runSteps(ports, runId);
      else await runWithoutTraining(ports, runId);
      await storeMetrics(storeMetricsInput(runId), worldOn(ports));
      ports.executions.set(runId, 'SUCCEEDED');
      ports.clock.advance(3_600_000);
    }
  });

  it('says what it takes, and that nothing becomes current', async () => {
    const text = await offerText(lake, 'trained');
    const { estimatedMinutes, estimatedUsd } = planOf(ports, 'trained').cluster;
    // The fixture has no times of states.
    expect(text).toContain(
      `takes a cluster of 4 instances for at most ${estimatedMinutes} minutes, the estimate of that whole run: up to ${estimatedUsd.toFixed(2)} USD`,
    );
    expect(text).toContain('nothing becomes current');
  });

  it('is not offered for a run that is unknown or has not trained', async () => {
    await expect(offerText(lake, 'nobody')).rejects.toThrow(/no run nobody.*churn models/);
    await expect(offerText(lake, 'scored')).rejects.toThrow(UserError);
    await expect(offerText(lake, 'scored')).rejects.toThrow(/has trained no model/);
    const [model, text] = [at(MODEL.of('trained').key), ports.objects.text(at(MODEL.of('trained').key))];
    await ports.objects.remove(model);
    await expect(offerText(lake, 'trained')).rejects.toThrow(/models\/trained\/model\.json any more/);
    ports.objects.put(model, text ?? '');
  });

  /** A pipeline whose runs end like this. */
  const pipelineOf = (status: string) => {
    const started: { readonly id: string; readonly request: unknown }[] = [];
    const arn = (id: string): string => `arn:aws:states:eu-central-1:111122223333:execution:churn-dev:${id}`;
    return {
      started,
      start: async (id: string, request: unknown) => {
        started.push({ id, request });
        return arn(id);
      },
      describe: async (executionArn: string) => ({
        ...{ executionArn, status, startedAt: new Date(0), endedAt: new Date(60_000) },
        ...{ output: '{"plan":{"decision":"verify"}}', error: undefined, cause: undefined },
      }),
      history: async () => [],
      definition: async () => ({ StartAt: 'A', States: { A: { Type: 'Succeed' } } }),
    };
  };
  const asked = (yes: boolean) => ({
    lake,
    runId: 'trained',
    options: { stage: 'dev', name: 'churn', yes },
  });

  it('starts a run that only trains, once the answer is yes, and waits for it', async () => {
    const pipeline = pipelineOf('SUCCEEDED');
    const id = await startedAndEnded(pipeline, asked(true));
    expect(id).toMatch(/^verify-\d{8}-\d{6}-[0-9a-f]{4}$/);
    expect(pipeline.started).toEqual([{ id, request: { verify: 'trained' } }]);
    expect(checkRequest('verify-1', pipeline.started[0]?.request, DEPLOYMENT, new Date())).toEqual({
      verify: 'trained',
    });
    expect(await startedAndEnded(pipelineOf('FAILED'), asked(true))).toBeUndefined();
  });

  it('starts nothing where nobody can answer', async () => {
    const pipeline = pipelineOf('SUCCEEDED');
    await expect(startedAndEnded(pipeline, asked(false))).rejects.toThrow(
      /USD at list prices.*Start it\? Nobody can answer here: --yes starts it without asking/,
    );
    expect(pipeline.started).toEqual([]);
  });

  describe('compares', () => {
    const files: ObjectFiles = {
      list: async (folder) => (await ports.objects.list(folder)).map(({ uri }) => uri),
      bytes: async (uri) => Buffer.from((await ports.objects.read(uri))?.text ?? ''),
    };
    const compare = (trainedBy: string) => compareRuns(lake, files, { runId: 'trained', trainedBy });
    const tree = (runId: string, text: string): void =>
      ports.objects.put(at(`${modelFolder(runId)}/model/model/part-00000`), text);

    beforeAll(async () => {
      for (const runId of ['same', 'other']) {
        await plan(ports, runId, { verify: 'trained' });
        runStep(ports, runId, 'train-models');
      }
      tree('trained', '{"tree":[0.25]}\n');
      tree('same', '{"tree":[0.25000001]}\n');
      tree('other', '{"tree":[0.3]}\n');
      putModel(ports, 'other', { testCutoff: '2018-11-20' });
    });

    it('what both have left, but not which run has trained', async () => {
      const found = await compare('same');
      expect(found).toMatchObject({ runId: 'trained', trainedBy: 'same', differences: [] });
      expect(found.documents).toEqual(['model.json', 'train-models.json', 'model/model']);
      expect(found.snapshots).toEqual({
        features: FEATURES.snapshots.features,
        user_days: FEATURES.snapshots.user_days,
      });
      expect(verificationText(found)).toMatch(/run trained was trained again by run same from the snapshots/);
      expect((await compare('other')).differences).toEqual([
        { place: 'model.json testCutoff', stored: '2018-11-19', again: '2018-11-20' },
        { place: 'model/model [0].tree[0]', stored: 0.25, again: 0.3 },
      ]);
    });

    it('only with a run that has trained this model again, to its end', async () => {
      await expect(compare('scored')).rejects.toThrow(
        /Run scored has not trained the model of run trained again/,
      );
      await plan(ports, 'unfinished', { verify: 'trained' });
      await expect(compare('unfinished')).rejects.toThrow(
        /Run unfinished has left no .*models\/unfinished\/model\.json/,
      );
    });
  });
});
