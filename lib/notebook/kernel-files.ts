/** What the cluster of a notebook fetches when it starts: the packages' lock, the module that reads the lake, the script. */
import { join } from 'node:path';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { projectRoot } from '../../setup/environment.mjs';

/** Each is the file of that name in `notebooks`. */
export class KernelFiles extends Construct {
  readonly script: Asset;
  readonly lock: Asset;
  readonly module: Asset;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const asset = (name: string, file: string): Asset =>
      new Asset(this, name, { path: join(projectRoot, 'notebooks', file) });
    this.script = asset('Script', 'install-kernel.sh');
    this.lock = asset('Lock', 'requirements.lock');
    this.module = asset('Module', 'churn_lake.py');
  }
}
