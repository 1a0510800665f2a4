/** The generated scripts of the Spark steps as assets: uploaded under the hash of their text. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stage } from 'aws-cdk-lib';
import type { Role } from 'aws-cdk-lib/aws-iam';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { Construct } from 'constructs';
import { each } from '../../domain/each.ts';
import { STEP_NAMES, type StepName } from '../../domain/run.ts';
import { STEPS } from '../../emr-steps/steps.ts';
import type { StepScript } from '../pipeline/resources.ts';
import { readObjects } from './instance-role.ts';

/** Writes each script beside the assembly and makes it an asset that `reader` may read. */
export function stepScripts(scope: Construct, reader: Role): Record<StepName, StepScript> {
  const outdir = Stage.of(scope)?.outdir;
  if (outdir === undefined)
    throw new Error('step scripts are written beside the assembly, so they need an app');
  const folder = join(outdir, 'step-scripts');
  mkdirSync(folder, { recursive: true });
  const script = (name: StepName): StepScript => {
    const step = STEPS[name];
    const path = join(folder, step.scriptName);
    writeFileSync(path, step.script);
    const asset = new Asset(scope, `Script-${name}`, { path });
    readObjects(reader, [asset.bucket.arnForObjects(asset.s3ObjectKey)]);
    return { scriptUri: asset.s3ObjectUrl };
  };
  return each(STEP_NAMES, script);
}
