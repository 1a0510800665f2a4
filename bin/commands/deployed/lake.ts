/** The command line's access to the lake of a deployed pipeline: its bucket, with the user's own credentials. */
import { S3Client } from '@aws-sdk/client-s3';
import { KEYS } from '../../../domain/lake.ts';
import { S3Objects } from '../../../lambda/aws/s3-objects.ts';
import type { ObjectStore } from '../../../lambda/ports/ports.ts';
import { lakeUri } from '../../../lambda/run/json-objects.ts';
import { DeployedError } from './errors.ts';

/** Objects of which every lake has at least one once its first run was planned. */
const MARKERS = [KEYS.current, KEYS.lease];

/** @throws DeployedError if there is no lake */
export async function openDeployedLake(lakeRoot: string, region: string | undefined): Promise<ObjectStore> {
  const objects = new S3Objects(new S3Client(region === undefined ? {} : { region }));
  await requireLake(objects, lakeRoot);
  return objects;
}

/** A mistyped address must not be accepted as a lake: no run would find what is written there. */
export async function requireLake(objects: Pick<ObjectStore, 'read'>, lakeRoot: string): Promise<void> {
  for (const marker of MARKERS) {
    if ((await objects.read(lakeUri(lakeRoot, marker))) !== undefined) return;
  }
  throw new DeployedError(
    `There is no lake at ${lakeRoot} (it has neither ${MARKERS.join(' nor ')}): name the LakeUri of a ` +
      'deployment that has had at least one run.',
  );
}
