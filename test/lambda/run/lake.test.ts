import { beforeEach, describe, expect, it } from 'vitest';
import type { LakeObject } from '../../../domain/lake-object.ts';
import {
  FORGOTTEN_USERS,
  LEDGER,
  PENDING_BATCH,
  PLAN,
  REFUSED,
  STEP_RESULT,
} from '../../../domain/lake-objects.ts';
import { UserError } from '../../../domain/user-error.ts';
import { closeRun } from '../../../lambda/close-run/close-run.ts';
import { renderReport } from '../../../lambda/render-report/render-report.ts';
import { Lake } from '../../../lambda/run/lake.ts';
import { storeMetrics } from '../../../lambda/store-metrics/store-metrics.ts';
import { arnOf, MemoryPorts } from '../../support/memory-ports.ts';
import { EVENTS, LAKE, plan, runSteps, storeMetricsInput, worldOn } from '../../support/run-fixture.ts';

let ports: MemoryPorts;
let lake: Lake;

beforeEach(() => {
  ports = new MemoryPorts();
  lake = new Lake(ports.objects, LAKE);
});

const refusal = REFUSED.of('run-1');
const reason = (text: string) => ({ reason: text });

describe('an object of the lake', () => {
  it('is absent until it is written', async () => {
    expect(await lake.has(refusal)).toBe(false);
    expect(await lake.find(refusal)).toBeUndefined();
    expect(await lake.glimpse(refusal)).toBeUndefined();
    expect(await lake.modifiedAt(refusal)).toBeUndefined();
    await lake.write(refusal, reason('first'));
    expect(await lake.read(refusal)).toEqual(reason('first'));
    expect(await lake.modifiedAt(refusal)).toEqual(ports.clock.now());
    await lake.remove(refusal);
    expect(await lake.has(refusal)).toBe(false);
  });

  it('is created once only', async () => {
    expect(await lake.create(refusal, reason('first'))).toBe('written');
    expect(await lake.create(refusal, reason('second'))).toBe('conflict');
    expect(await lake.read(refusal)).toEqual(reason('first'));
  });

  it('is replaced only if it is still as it was found', async () => {
    const absent = await lake.find(refusal);
    expect(await lake.replace(refusal, absent, reason('first'))).toBe('written');
    expect(await lake.replace(refusal, absent, reason('second'))).toBe('conflict');
    const first = await lake.find(refusal);
    expect(await lake.replace(refusal, first, reason('second'))).toBe('written');
    expect(await lake.replace(refusal, first, reason('third'))).toBe('conflict');
    expect(await lake.read(refusal)).toEqual(reason('second'));
  });

  it('that must be there and is not says where, and what to do', async () => {
    const missing = lake.read(STEP_RESULT['train-models'].of('run-1'));
    await expect(missing).rejects.toMatchObject({ name: 'InvalidResult' });
    await expect(missing).rejects.toBeInstanceOf(UserError);
    await expect(missing).rejects.toThrow(
      'There is no result of train-models at s3://lake/runs/run-1/results/train-models.json. Resume the run',
    );
  });

  it.each<[LakeObject<unknown>, string, RegExp]>([
    [PLAN.of('run-1'), '{"half', /^The plan of the run at .*plan\.json is not JSON: .*\nRestore .* new run/],
    [
      FORGOTTEN_USERS,
      '{"salt": 1}',
      /^The list of forgotten users at [\s\S]*at salt[\s\S]*\nRestore the last/,
    ],
    [LEDGER.of('b'), '{"uri": 1}\n', /^The ledger at .*b\.json has a line that .*: \{"uri": 1\}\nRestore/],
  ])(
    'that is malformed fails a reader, but not a glimpse for an explanation',
    async (object, text, words) => {
      ports.objects.put(object.uriIn(LAKE), text);
      await expect(lake.find(object)).rejects.toMatchObject({ name: 'InvalidResult' });
      await expect(lake.find(object)).rejects.toThrow(words);
      expect(await lake.glimpse(object)).toBeUndefined();
      expect(await lake.has(object)).toBe(true);
    },
  );

  it('fails every reader when the store itself fails', async () => {
    ports.before = () => {
      throw new Error('S3 is down');
    };
    await expect(lake.glimpse(refusal)).rejects.toThrow('S3 is down');
  });
});

it('a folder of objects is listed with their ids, without what else is in it', async () => {
  const batch = { batchId: '0123456789abcdef', ingestDate: '2018-12-04', files: [] };
  await lake.create(PENDING_BATCH.of(batch.batchId), batch);
  ports.objects.put(`${LAKE}/${PENDING_BATCH.folder}/0123456789abcdef.json.draft`, '');
  const [listed, ...others] = await lake.list(PENDING_BATCH);
  expect(others).toEqual([]);
  expect(listed).toMatchObject({ id: batch.batchId, modifiedAt: ports.clock.now() });
  expect(listed && (await lake.read(listed.object))).toEqual(batch);
});

it('every object that the Lambdas write has the content type of its kind', async () => {
  ports.objects.put(`${EVENTS}/2018-10-01.json`, 'events');
  await plan(ports, 'run-1');
  await plan(ports, 'refused');
  runSteps(ports, 'run-1');
  await storeMetrics(storeMetricsInput('run-1'), worldOn(ports));
  await renderReport({ runId: 'run-1', executionArn: arnOf('run-1') }, worldOn(ports), async () => '');
  const failure = { runId: 'gone', executionArn: arnOf('gone'), startedAt: '', failure: {} };
  await closeRun(failure, worldOn(ports));
  const types = [...ports.objects.contentTypes];
  expect(types).toContainEqual([`${LAKE}/runs/refused/refused.json`, 'application/json']);
  expect(types).toContainEqual([`${LAKE}/reports/run-1.html`, 'text/html; charset=utf-8']);
  const others = types.filter(([uri]) => !uri.endsWith('.html'));
  expect(others.length).toBeGreaterThan(8);
  expect(new Set(others.map(([, type]) => type))).toEqual(new Set(['application/json']));
});
