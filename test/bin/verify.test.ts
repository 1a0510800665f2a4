/** What `churn models --verify` says, on this machine and of a deployment. */
import { beforeAll, describe, expect, it } from 'vitest';
import { deployedRefusal } from '../../bin/commands/models/verify.ts';
import { verificationText } from '../../bin/commands/models/verify-text.ts';
import { UserError } from '../../domain/user-error.ts';
import { Lake } from '../../lambda/run/lake.ts';
import { storeMetrics } from '../../lambda/store-metrics/store-metrics.ts';
import type { Verification } from '../../local/run/verify-model.ts';
import { MemoryPorts } from '../support/memory-ports.ts';
import {
  EVENTS,
  FEATURES,
  LAKE,
  plan,
  planOf,
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

  it('says what it would cost, and what to do instead', async () => {
    const text = await deployedRefusal(lake, 'trained');
    expect(text).toMatch(
      /cluster of 4 instances for up to \d+ minutes, up to \d+\.\d\d USD, and this command starts none/,
    );
    const { seed } = planOf(ports, 'trained').training;
    expect(text).toContain(`churn start --force --observation-end ${FEATURES.observationEnd} --seed ${seed}`);
  });

  it('is refused for a run that is unknown or has not trained', async () => {
    await expect(deployedRefusal(lake, 'nobody')).rejects.toThrow(/no run nobody.*churn models/);
    await expect(deployedRefusal(lake, 'scored')).rejects.toThrow(UserError);
    await expect(deployedRefusal(lake, 'scored')).rejects.toThrow(/has trained no model/);
  });
});
