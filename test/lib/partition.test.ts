import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { buildApp } from '../../lib/app.ts';

const outdir = mkdtempSync(join(tmpdir(), 'churn-partition-'));
afterAll(() => rmSync(outdir, { recursive: true, force: true }));
afterEach(() => {
  vi.unstubAllEnvs();
});

test.each([
  ['cn-north-1', 'aws-cn'],
  ['us-gov-west-1', 'aws-us-gov'],
])('a deployment to %s is refused in one sentence', (region, partition) => {
  const sentence = new RegExp(`^churn:region: ${region} belongs to the partition ${partition}; .*only.*\\.$`);
  expect(() => buildApp({ bundle: false, outdir, context: { 'churn:region': region } })).toThrow(sentence);
  vi.stubEnv('CDK_DEFAULT_REGION', region);
  expect(() => buildApp({ bundle: false, outdir })).toThrow(sentence);
});

test.each(['eu-central-1', 'us-east-1', 'xx-nowhere-1'])('a deployment to %s is not', (region) => {
  expect(() => buildApp({ bundle: false, outdir, context: { 'churn:region': region } })).not.toThrow();
});
