/** The lake of a deployed pipeline as the command line reaches it: its bucket, with the user's own credentials. */
import { S3Client } from '@aws-sdk/client-s3';
import { KEYS } from '../../../domain/lake.ts';
import { S3Objects } from '../../../lambda/aws/s3-objects.ts';
import type { ObjectStore } from '../../../lambda/ports/ports.ts';
import { lakeUri } from '../../../lambda/run/json-objects.ts';
import { DeployedError } from './errors.ts';

/** What every lake holds since its first run was planned. */
const MARKERS = [KEYS.current, KEYS.lease];

/** @throws DeployedError when there is no lake */
export async function openDeployedLake(lakeRoot: string, region: string | undefined): Promise<ObjectStore> {
  const objects = new S3Objects(new S3Client(region === undefined ? {} : { region }));
  await requireLake(objects, lakeRoot);
  return objects;
}

/** A mistyped address must not pass for a lake: what was written there would be found by no run. */
export async function requireLake(objects: Pick<ObjectStore, 'read'>, lakeRoot: string): Promise<void> {
  for (const marker of MARKERS) {
    if ((await objects.read(lakeUri(lakeRoot, marker))) !== undefined) return;
  }
  throw new DeployedError(
    `There is no lake at ${lakeRoot} (neither ${MARKERS.join(' nor ')} lies there): name the LakeUri of a ` +
      'deployment that has run at least once.',
  );
}
