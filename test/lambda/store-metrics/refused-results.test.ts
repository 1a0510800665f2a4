/** Runs that StoreMetrics does not make current: rows are missing, a result is invalid, or the run was closed. */
import { beforeEach, describe, expect, it } from 'vitest';
import { RUNS } from '../../../domain/lake.ts';
import { CURRENT, LEASE, RUN_RECORD } from '../../../domain/lake-objects.ts';
import { endedRun, jsonIn, storeRun } from '../../support/ended-run.ts';
import type { MemoryPorts } from '../../support/memory-ports.ts';
import { answerReconcileQuery, at, INGEST, plan, planOf, putResult } from '../../support/run-fixture.ts';

let ports: MemoryPorts;
beforeEach(async () => {
  ports = await endedRun();
});
const store = (runId?: string) => storeRun(ports, runId);
const json = (key: string) => jsonIn(ports, key);

describe('StoreMetrics for a lake that does not hold the counted rows', () => {
  const nothingIsCurrent = () => {
    expect(ports.objects.text(at(CURRENT.key))).toBeUndefined();
    expect(ports.objects.text(at(RUN_RECORD.of('run-1').key))).toBeUndefined();
    expect(json(LEASE.key).holder).toMatchObject({ runId: 'run-1' });
  };

  it.each([
    'events',
    'quarantined_events',
    'ingest_files.rows_accepted',
    'features',
    'scoring_features',
    'scores',
  ])('fails on a wrong count of %s, and makes nothing current', async (table) => {
    answerReconcileQuery(ports, 'run-1', { [table]: '12345' });
    await expect(store()).rejects.toMatchObject({ name: 'ReconciliationFailed' });
    await expect(store()).rejects.toThrow(
      new RegExp(`${table}: 12345 rows were counted, \\d+ were expected`),
    );
    nothingIsCurrent();
  });

  it('fails when rows that were read are not accounted for', async () => {
    const counts = { ...INGEST.counts, read: 1_001 };
    putResult(ports, 'run-1', 'ingest-events', { ...INGEST, counts });
    answerReconcileQuery(ports, 'run-1', { 'ingest_files.rows_read': '1001' });
    await expect(store()).rejects.toThrow(/1001 rows were read, but 1000 accounted for/);
    nothingIsCurrent();
  });

  it('fails when the query result lacks a table', async () => {
    ports.sql.answers.set('run-1', []);
    await expect(store()).rejects.toThrow(/scores: the query's answer has no count of it/);
  });
});

describe('StoreMetrics for a step without a valid result', () => {
  it('names the step when its result is missing', async () => {
    await ports.objects.remove(planOf(ports, 'run-1').outputs.results['train-models']);
    await expect(store()).rejects.toThrow(/no result of train-models at s3:\/\/lake\/runs\/run-1\/results/);
  });

  it('names the step and the field when its result is malformed', async () => {
    putResult(ports, 'run-1', 'score-users', { users: -3 });
    const stored = store();
    await expect(stored).rejects.toMatchObject({ name: 'InvalidResult' });
    await expect(stored).rejects.toThrow(
      /results\/score-users\.json is not what it should be[\s\S]*at users/,
    );
  });
});

describe('StoreMetrics for a run that has been closed in the meantime', () => {
  it('does not make the run current when another run holds the lease', async () => {
    ports.executions.set('run-1', 'TIMED_OUT');
    await plan(ports, 'run-2');
    await expect(store()).rejects.toMatchObject({ name: 'LeaseLost' });
    expect(ports.objects.text(at(CURRENT.key))).toBeUndefined();
  });

  it('does not make the run current when it was recorded as failed at the same moment', async () => {
    const failed = { run_id: 'run-1', status: 'FAILED', started_at: '2018-12-04T06:00:00Z' };
    const record = Object.fromEntries(RUNS.columns.map(({ name }) => [name, null]));
    ports.before = (call, uri) => {
      if (call === 'objects.write' && uri.includes('tables/runs')) {
        ports.objects.put(uri, JSON.stringify({ ...record, ...failed, ended_at: '2018-12-04T07:00:00Z' }));
      }
    };
    await expect(store()).rejects.toMatchObject({ name: 'RunClosed' });
    expect(ports.objects.text(at(CURRENT.key))).toBeUndefined();
  });
});
