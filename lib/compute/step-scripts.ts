/** The generated scripts of the Spark steps as assets: uploaded under the hash of their text. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stage } from 'aws-cdk-lib';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { each } from '../../domain/each.ts';
import { STEP_NAMES, type StepName } from '../../domain/run.ts';
import { STEPS } from '../../emr-steps/steps.ts';
import type { InstanceRole } from './instance-role.ts';

/** A Spark step as a state needs it. */
export interface StepScript {
  readonly scriptUri: string;
}

export interface StepScriptsProps {
  /** May read the scripts. */
  readonly reader: InstanceRole;
}

export class StepScripts extends Construct {
  readonly scripts: Readonly<Record<StepName, StepScript>>;

  constructor(scope: Construct, id: string, { reader }: StepScriptsProps) {
    super(scope, id);
    const folder = scriptFolder(this);
    this.scripts = each(STEP_NAMES, (name) => {
      const step = STEPS[name];
      const path = join(folder, step.scriptName);
      writeFileSync(path, step.script);
      const asset = new Asset(this, name, { path });
      reader.readAssets(asset, '.py');
      return { scriptUri: asset.s3ObjectUrl };
    });
  }
}

/** A folder beside the assembly, made where it is missing. */
function scriptFolder(scope: Construct): string {
  const outdir = Stage.of(scope)?.outdir;
  if (outdir === undefined)
    throw new Error('step scripts are written beside the assembly, so they need an app');
  const folder = join(outdir, 'step-scripts');
  mkdirSync(folder, { recursive: true });
  return folder;
}
