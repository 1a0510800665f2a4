/** The app for tests: synthesized once per process for each set of overrides, without bundling. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import type { CloudAssembly } from 'aws-cdk-lib/cx-api';
import { buildApp, type ChurnApp } from '../../lib/app.ts';
import { SHARED_APP } from './temporary-root.ts';

export type StackName = keyof ChurnApp['stacks'];

export interface Synthesized extends ChurnApp {
  readonly assembly: CloudAssembly;
  template(stack: StackName): Template;
}

/** Any account works: nothing is looked up in it. */
const CONTEXT = { 'churn:account': '111122223333', 'churn:region': 'eu-central-1' } as const;

const made = new Map<string, Synthesized>();

/** @param overrides context keys as with `-c`, including their prefix */
export function synthesize(overrides: Readonly<Record<string, unknown>> = {}): Synthesized {
  const key = JSON.stringify(overrides);
  const known = made.get(key);
  if (known !== undefined) return known;
  const outdir = mkdtempSync(join(tmpdir(), SHARED_APP));
  const churn = buildApp({ bundle: false, outdir, context: { ...CONTEXT, ...overrides } });
  const assembly = churn.app.synth();
  const synthesized: Synthesized = {
    ...churn,
    assembly,
    template: (stack) => {
      const made = churn.stacks[stack];
      if (made === undefined) throw new Error(`this configuration has no stack ${stack}`);
      return Template.fromStack(made);
    },
  };
  made.set(key, synthesized);
  return synthesized;
}
