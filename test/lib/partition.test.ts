import { afterEach, expect, test, vi } from 'vitest';
import { buildApp } from '../../lib/app.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test.each([
  ['cn-north-1', 'aws-cn'],
  ['us-gov-west-1', 'aws-us-gov'],
])('a deployment to %s is refused in one sentence', (region, partition) => {
  const sentence = new RegExp(`^churn:region: ${region} belongs to the partition ${partition}; .*only.*\\.$`);
  expect(() => buildApp({ bundle: false, context: { 'churn:region': region } })).toThrow(sentence);
  vi.stubEnv('CDK_DEFAULT_REGION', region);
  expect(() => buildApp({ bundle: false })).toThrow(sentence);
});

test.each(['eu-central-1', 'us-east-1', 'xx-nowhere-1'])('a deployment to %s is not', (region) => {
  expect(() => buildApp({ bundle: false, context: { 'churn:region': region } })).not.toThrow();
});
