import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  EVIDENCE_TABLES,
  externalTableFolder,
  icebergTableFolder,
  SCORES,
  TABLES,
} from '../../domain/lake.ts';
import {
  CHAMPION_DETAIL,
  CLOSED,
  CURRENT,
  EVIDENCE_ROWS,
  FILE_INDEX,
  FORGOTTEN_USERS,
  INDEX_SHARD,
  LEASE,
  LEDGER,
  logFolder,
  METRIC_ROWS,
  modelFolder,
  OUTCOME_ROWS,
  PENDING_BATCH,
  PLAN,
  REFUSED,
  REPORT,
  RUN_DETAIL,
  RUN_RECORD,
  runFolder,
  STEP_ERROR,
  STEP_RESULT,
  WATCHED_SINCE,
} from '../../domain/lake-objects.ts';
import { HTML_PAGE, jsonDocument, jsonRow, jsonRows } from '../../domain/object-format.ts';
import { STEP_NAMES } from '../../domain/run.ts';

describe('the objects of the lake', () => {
  it('stay where lakes that exist have them', () => {
    expect([LEASE, CURRENT, WATCHED_SINCE, FORGOTTEN_USERS].map(({ key }) => key)).toEqual([
      'lease.json',
      'current.json',
      'watched-since.json',
      'forgotten-users.json',
    ]);
    expect([PENDING_BATCH, LEDGER].map((kind) => kind.of('b').key)).toEqual([
      'pending/b.json',
      'tables/ingest_files/b.json',
    ]);
    expect([FILE_INDEX.key, INDEX_SHARD.of('s').key]).toEqual(['index/files.json', 'index/files/s.json']);
    const perRun = [METRIC_ROWS, RUN_RECORD, PLAN, RUN_DETAIL, CHAMPION_DETAIL, CLOSED, REFUSED, REPORT];
    expect(perRun.map((kind) => kind.of('r').key)).toEqual([
      'tables/model_metrics/r.json',
      'tables/runs/r.json',
      'runs/r/plan.json',
      'runs/r/detail.json',
      'runs/r/detail.json',
      'runs/r/closed.json',
      'runs/r/refused.json',
      'reports/r.html',
    ]);
    for (const step of STEP_NAMES) {
      expect(STEP_RESULT[step].of('r').key).toBe(`runs/r/results/${step}.json`);
      expect(STEP_ERROR[step].of('r').key).toBe(`runs/r/errors/${step}.json`);
    }
    expect([runFolder('r'), logFolder('r'), modelFolder('r')]).toEqual(['runs/r', 'runs/r/logs', 'models/r']);
    expect(icebergTableFolder('churn_dev_0a1b2c3d', SCORES)).toBe('warehouse/churn_dev_0a1b2c3d/scores');
  });

  it('that are rows of an external table are in its folder', () => {
    const folders = TABLES.filter(({ format }) => format === 'json').map(externalTableFolder);
    const evidence = EVIDENCE_TABLES.map(({ name }) => EVIDENCE_ROWS[name]);
    expect([LEDGER, METRIC_ROWS, OUTCOME_ROWS, RUN_RECORD, ...evidence].map(({ folder }) => folder)).toEqual(
      folders,
    );
  });

  it('are found by their keys below the root, or by a URI that a plan names', () => {
    expect(PLAN.of('r').uriIn('s3://lake')).toBe('s3://lake/runs/r/plan.json');
    expect(PLAN.at('s3://other/plan.json').uriIn('s3://lake')).toBe('s3://other/plan.json');
  });

  it('give back their ids in a listing, which passes over what writers leave beside them', () => {
    expect(LEDGER.idOf(LEDGER.of('0123456789abcdef').uriIn('file:///lake'))).toBe('0123456789abcdef');
    expect(LEDGER.idOf('file:///lake/tables/ingest_files/b.json.draft')).toBeUndefined();
    expect(REPORT.idOf('run.1.html')).toBe('run.1');
  });
});

describe('a format', () => {
  const schema = z.strictObject({ b: z.number(), a: z.string() });
  const value = { a: 'é', b: 1 };

  it('writes the bytes that lakes that exist have, in the order of the value', () => {
    expect(jsonDocument(schema).write(value)).toBe('{\n  "a": "é",\n  "b": 1\n}\n');
    expect(jsonRow(schema).write(value)).toBe('{"a":"é","b":1}\n');
    expect(jsonRows(schema).write([value, value])).toBe('{"a":"é","b":1}\n{"a":"é","b":1}\n');
    expect(jsonRows(schema).write([])).toBe('');
    expect(HTML_PAGE.write('<p>')).toBe('<p>');
  });

  it.each([jsonDocument(schema), jsonRow(schema)])('reads what it wrote, and nothing else', (format) => {
    expect(format.read(format.write(value))).toEqual({ isValid: true, value });
    expect(format.read('{"half')).toEqual({
      isValid: false,
      problem: 'is not JSON: it begins with "{\\"half"',
    });
    expect(format.read('{"a": 1, "b": 1}')).toMatchObject({
      isValid: false,
      problem: expect.stringMatching(/not what it should be[\s\S]*at a/),
    });
  });

  it('of rows passes over blank lines, and names the line that is none', () => {
    const format = jsonRows(schema);
    expect(format.read('{"a":"é","b":1}\n\n')).toEqual({ isValid: true, value: [value] });
    expect(format.read('{"a":"é","b":1}\n{"a":2}\n')).toEqual({
      isValid: false,
      problem: 'has a line that is not one of its rows: {"a":2}',
    });
  });
});
