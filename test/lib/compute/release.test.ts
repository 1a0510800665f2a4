import { describe, expect, test } from 'vitest';
import { ENVIRONMENT, FUNCTION_NAMES } from '../../../domain/operations.ts';
import {
  currentRelease,
  currentTrainingRelease,
  type ReleaseContent,
  releaseOf,
} from '../../../lib/compute/release.ts';
import { resources } from '../resources.ts';

describe('a release', () => {
  const content: ReleaseContent = {
    scripts: ['ingest', 'features'],
    requirements: 'numpy==2.0.0',
    emrRelease: 'emr-7.13.0',
  };

  test('has the same name for the same content', () => {
    expect(releaseOf({ ...content })).toBe(releaseOf(content));
    expect(releaseOf(content)).toMatch(/^[0-9a-f]{12}$/);
  });

  test.each<[string, Partial<ReleaseContent>]>([
    ['a script', { scripts: ['ingest', 'features 2'] }],
    ['the packages', { requirements: 'numpy==2.0.1' }],
    ['EMR', { emrRelease: 'emr-7.14.0' }],
  ])('has another name when %s changes', (_, changed) => {
    expect(releaseOf({ ...content, ...changed })).not.toBe(releaseOf(content));
  });

  test('is given to every Lambda, since start-training writes it into the plan', () => {
    const given = resources('pipeline', 'AWS::Lambda::Function').map(([, { Properties }]) =>
      JSON.stringify(Properties?.Environment),
    );
    expect(given).toHaveLength(FUNCTION_NAMES.length);
    for (const environment of given)
      expect(environment).toContain(`"${ENVIRONMENT.release}":"${currentRelease('emr-7.13.0')}"`);
  });

  test('is another one for training, so that only what training depends on is a reason to train again', () => {
    const training = currentTrainingRelease('emr-7.13.0');
    expect(training).not.toBe(currentRelease('emr-7.13.0'));
    const given = resources('pipeline', 'AWS::Lambda::Function').map(([, { Properties }]) =>
      JSON.stringify(Properties?.Environment),
    );
    for (const environment of given)
      expect(environment).toContain(`"${ENVIRONMENT.trainingRelease}":"${training}"`);
  });
});
