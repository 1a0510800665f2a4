/** Who decides whether a run trains, and what makes it train again. */
import { describe, expect, it } from 'vitest';
import type { RunRequest, RunSettings } from '../../../domain/run.ts';
import { trainSettings } from '../../../lambda/start-training/train-settings.ts';
import { DEPLOYMENT } from '../../support/run-fixture.ts';

const of = (request: RunRequest = {}, settings: Partial<RunSettings> = {}, trainingRelease = 'r') =>
  trainSettings(request, { trainingRelease, settings: { ...DEPLOYMENT.settings, ...settings } });

describe('whether to train', () => {
  it.each<[RunRequest, Partial<RunSettings>, string, string]>([
    [{}, {}, 'when-new', 'setting'],
    [{}, { train: 'never' }, 'never', 'setting'],
    [{ force: true }, { train: 'never' }, 'always', 'force'],
    [{ force: true, train: 'when-new' }, { train: 'never' }, 'when-new', 'request'],
    [{ train: 'never' }, { train: 'always' }, 'never', 'request'],
    [{ force: false }, {}, 'when-new', 'setting'],
  ])('%j with the setting %j: %s by %s', (request, settings, mode, askedBy) => {
    expect(of(request, settings)).toMatchObject({ mode, askedBy });
  });
});

describe('the fingerprint', () => {
  const { fingerprint } = of();

  it.each<[string, ReturnType<typeof of>]>([
    ['what training is executed with', of({}, {}, 's')],
    ['the horizon of the request', of({ horizonDays: 7 })],
    ['the seed', of({ seed: 5 })],
    ['the folds', of({}, { folds: 5 })],
    ['a gate: a model that was refused may pass now', of({}, { acceptedFeatures: ['errors_per_day'] })],
  ])('changes with %s', (_, changed) => {
    expect(changed.fingerprint).not.toBe(fingerprint);
  });

  it('does not change with what has no part in a model', () => {
    expect(of({ force: true, train: 'always', maxQuarantineShare: 1 }).fingerprint).toBe(fingerprint);
    const other = of({}, { budgetUsd: 1, train: 'never', promotion: 'manual', controlGroupShare: 0.2 });
    expect(other.fingerprint).toBe(fingerprint);
    expect(of({ horizonDays: DEPLOYMENT.settings.horizonDays }).fingerprint).toBe(fingerprint);
  });
});
