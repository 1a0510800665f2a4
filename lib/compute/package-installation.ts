/** The bootstrap action that installs the Python packages of the steps on every instance. */
import { join } from 'node:path';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { EmrCreateCluster } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import { projectRoot } from '../../setup/environment.mjs';
import { PACKAGES_FOLDER } from './cluster-settings.ts';
import type { InstanceRole } from './instance-role.ts';
import { PythonPackages } from './python-packages.ts';

export interface PackageInstallationProps {
  /** May read the script and the packages. */
  readonly reader: InstanceRole;
}

export class PackageInstallation extends Construct {
  readonly bootstrapAction: EmrCreateCluster.BootstrapActionConfigProperty;

  constructor(scope: Construct, id: string, { reader }: PackageInstallationProps) {
    super(scope, id);
    const script = new Asset(this, 'Script', {
      path: join(projectRoot, 'emr-steps', 'cluster', 'install-packages.sh'),
    });
    const { archive } = new PythonPackages(this, 'Packages');
    reader.readAssets(script, '.sh');
    reader.readAssets(archive, '.zip');
    this.bootstrapAction = {
      name: 'Install the Python packages',
      scriptBootstrapAction: { path: script.s3ObjectUrl, args: [archive.s3ObjectUrl, PACKAGES_FOLDER] },
    };
  }
}
