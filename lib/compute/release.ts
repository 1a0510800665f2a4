/** The release of a deployment: a name for what the steps of its runs are executed with. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { STEP_NAMES } from '../../domain/run.ts';
import { STEPS } from '../../emr-steps/steps.ts';
import { projectRoot } from '../../setup/environment.mjs';

/** Digits of the hash: enough to distinguish all releases there will ever be. */
const RELEASE_LENGTH = 12;

/** What a run that resumes another must share with it. */
export interface ReleaseContent {
  /** Scripts of the steps. They contain the shapes of the plan and of the results. */
  readonly scripts: readonly string[];
  /** Lock file of the Python packages, which read and write models. */
  readonly requirements: string;
  /** Version of EMR, and with it of Spark and Iceberg. */
  readonly emrRelease: string;
}

/** A hash of the content, so that it changes with it and only with it: 12 hexadecimal digits. */
export function releaseOf({ scripts, requirements, emrRelease }: ReleaseContent): string {
  const content = JSON.stringify([scripts, requirements, emrRelease]);
  return createHash('sha256').update(content).digest('hex').slice(0, RELEASE_LENGTH);
}

/** The release of this source tree. */
export function currentRelease(emrRelease: string): string {
  return releaseOf({ scripts: STEP_NAMES.map((name) => STEPS[name].script), ...around(emrRelease) });
}

/** What training is executed with: its script holds the candidates and the definitions of all features. */
export function currentTrainingRelease(emrRelease: string): string {
  return releaseOf({ scripts: [STEPS['train-models'].script], ...around(emrRelease) });
}

function around(emrRelease: string): Omit<ReleaseContent, 'scripts'> {
  const requirements = readFileSync(join(projectRoot, 'emr-steps', 'requirements.lock'), 'utf8');
  return { requirements, emrRelease };
}
