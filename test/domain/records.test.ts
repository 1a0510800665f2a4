import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { METRICS, MODELS } from '../../domain/models.ts';
import { hasTrained, runDetailSchema, runRecordSchema } from '../../domain/records.ts';
import { modelEvaluationSchema } from '../../domain/results.ts';
import { metricRows } from '../../lambda/run/metric-rows.ts';
import { TRAINING } from '../support/run-fixture.ts';

/** A detail as an earlier version stored it, before metrics and models were enumerated. Never to be changed. */
const STORED: unknown = JSON.parse(readFileSync(join(import.meta.dirname, 'stored/run-detail.json'), 'utf8'));

describe('a detail that an earlier version stored', () => {
  const detail = runDetailSchema.parse(STORED);
  if (!hasTrained(detail)) throw new Error('the stored run has trained');

  it('is read as it was stored, with every model and metric', () => {
    expect(detail).toMatchObject(Object(STORED));
    const { training, plan } = detail;
    // What older versions did not know.
    expect({
      ...detail,
      plan: {
        ...plan,
        release: undefined,
        database: undefined,
        champion: undefined,
        currentTag: undefined,
        observedBefore: undefined,
        promotion: undefined,
        train: undefined,
        expiredRuns: undefined,
        scoring: { ...plan.scoring, terms: undefined, campaignDays: undefined },
        training: {
          ...plan.training,
          excludedFeatures: undefined,
          cutoffAnchor: undefined,
          retrospective: undefined,
        },
      },
      features: { ...detail.features, cutoffAnchor: undefined },
      training: {
        ...training,
        champion: undefined,
        singleInputs: undefined,
        past: undefined,
        notFitted: undefined,
        segments: undefined,
        exploration: undefined,
        slices: undefined,
        drivers: undefined,
        homogeneity: undefined,
        retrospective: undefined,
      },
    }).toEqual(STORED);
    expect(plan).toMatchObject({
      release: 'none',
      database: 'churn',
      champion: null,
      currentTag: null,
      train: { mode: 'always', askedBy: 'setting', fingerprint: '' },
      expiredRuns: [],
    });
    expect(runDetailSchema.parse({ ...detail, plan: { ...plan, rescoring: null } }).plan.runId).toBe(
      plan.runId,
    );
    expect(training).toMatchObject({
      champion: null,
      singleInputs: [],
      past: [],
      notFitted: [],
      segments: [],
    });
    const addedSince = ['segments', 'segments_and_trees'];
    expect([...detail.training.evaluations.map(({ model }) => model), ...addedSince].sort()).toEqual(
      MODELS.map(({ name }) => name).sort(),
    );
    for (const { metrics } of detail.training.evaluations) {
      expect(Object.keys(metrics).sort()).toEqual(METRICS.map(({ name }) => name).sort());
    }
  });

  it('has a row in model_metrics for every metric, field of a decision and drift index', () => {
    const rows = metricRows(detail).filter(({ model }) => model === 'boosted_trees');
    const decisionFields = Object.keys(detail.training.evaluations[0]?.decisions.best_f1 ?? {});
    expect(decisionFields).toHaveLength(9);
    expect(rows.map(({ metric }) => metric).sort()).toEqual(
      [
        ...METRICS.map(({ name }) => name),
        ...['best_f1', 'best_balanced_accuracy'].flatMap((rule) =>
          decisionFields.map((field) => `${rule}.${field}`),
        ),
        'psi.raw_score',
        ...detail.scoring.drift.features.map(({ feature }) => `psi.${feature}`),
      ].sort(),
    );
    expect(rows.find(({ metric }) => metric === 'best_f1.threshold')?.value).toBe(0.18);
  });
});

describe('a model or metric that does not exist', () => {
  const [evaluation] = TRAINING.evaluations;
  const messageFor = (changed: object): string =>
    modelEvaluationSchema.safeParse({ ...evaluation, ...changed }).error?.message ?? 'accepted';

  it('is refused by name in an evaluation', () => {
    expect(messageFor({})).toBe('accepted');
    expect(messageFor({ metrics: {} })).toBe('accepted');
    expect(messageFor({ metrics: { accuracy: { value: 1, low: null, high: null } } })).toContain('accuracy');
    expect(messageFor({ decisions: { best_guess: evaluation?.decisions.best_f1 } })).toContain('best_guess');
    expect(messageFor({ model: 'naive_bayes' })).toContain('logistic_regression');
  });

  it('is refused in a record', () => {
    const { record } = runDetailSchema.parse(STORED);
    expect(runRecordSchema.safeParse({ ...record, model: null }).success).toBe(true);
    expect(runRecordSchema.safeParse({ ...record, model: 'naive_bayes' }).success).toBe(false);
  });
});
