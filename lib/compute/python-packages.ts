/** The Python packages of the cluster: wheels of the lock file for its processor, without what EMR brings and no step reads. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { UserError } from '../../domain/user-error.ts';
import { environmentFolder, PYTHON_VERSION, projectRoot } from '../../setup/environment.mjs';
import { clusterRequirements } from './cluster-requirements.ts';
import { isUnused, UNUSED_FILES } from './unused-files.ts';

/** Graviton with the C library of Amazon Linux 2023, and the older ones it runs too. */
const PLATFORMS: readonly string[] = [
  'manylinux_2_28_aarch64',
  'manylinux_2_17_aarch64',
  'manylinux2014_aarch64',
];

const LOCK = join(projectRoot, 'emr-steps', 'requirements.lock');

/** An archive made at synth, without Docker: pip fetches wheels for another machine on any machine. */
export class PythonPackages extends Construct {
  readonly archive: Asset;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const requirements = clusterRequirements(readFileSync(LOCK, 'utf8'));
    this.archive = new Asset(this, 'Default', {
      path: join(projectRoot, 'emr-steps', 'cluster'),
      assetHashType: AssetHashType.CUSTOM,
      assetHash: createHash('sha256')
        .update([requirements, ...PLATFORMS, UNUSED_FILES].join('\n'))
        .digest('hex'),
      bundling: {
        image: DockerImage.fromRegistry('not-used'),
        local: {
          tryBundle(outputFolder) {
            installWheels(requirements, outputFolder);
            removeUnused(outputFolder);
            return true;
          },
        },
      },
    });
  }
}

function removeUnused(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && isUnused(relative(folder, path).replaceAll(sep, '/'))) rmSync(path);
  }
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
