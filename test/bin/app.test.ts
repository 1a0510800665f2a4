/** The CDK app as `cdk synth` starts it, without bundling. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, expect, test } from 'vitest';
import { projectRoot } from '../../setup/environment.mjs';

const folder = mkdtempSync(join(tmpdir(), 'churn-app-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function synth(context: Readonly<Record<string, unknown>>) {
  const all = {
    'aws:cdk:bundling-stacks': [],
    'churn:account': '111122223333',
    'churn:region': 'eu-central-1',
  };
  return execa(process.execPath, [join(projectRoot, 'bin/app.ts')], {
    reject: false,
    env: { CDK_CONTEXT_JSON: JSON.stringify({ ...all, ...context }), CDK_OUTDIR: folder },
  });
}

test('synth warns of a deployment to dev that notifies nobody', async () => {
  const { exitCode, stdout, stderr } = await synth({});
  expect(exitCode).toBe(0);
  expect(stdout + stderr).toMatch(/Nobody is notified .*churn:alarmEmail or churn:alarmTopicArn/);
});

test('synth refuses a deployment to prod that notifies nobody', async () => {
  const { exitCode, stderr } = await synth({ 'churn:stage': 'prod' });
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/churn:alarmEmail: prod needs somebody who is notified/);
  expect(stderr).not.toMatch(/^ +at /m);
});

test('synth does not warn where an address is notified', async () => {
  const { exitCode, stdout, stderr } = await synth({ 'churn:alarmEmail': 'oncall@example.com' });
  expect([exitCode, stdout]).toEqual([0, '']);
  expect(stderr).not.toMatch(/Nobody is notified/);
});
