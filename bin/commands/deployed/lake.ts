/** The command line's access to the lake of a deployed pipeline: its bucket, with the user's own credentials. */
import { S3Client } from '@aws-sdk/client-s3';
import { CURRENT, LEASE } from '../../../domain/lake-objects.ts';
import { S3Objects } from '../../../lambda/aws/s3-objects.ts';
import { Lake } from '../../../lambda/run/lake.ts';
import { DeployedError } from './errors.ts';

/** Objects of which every lake has at least one once its first run was planned. */
const MARKERS = [CURRENT, LEASE];

/** @throws DeployedError if there is no lake */
export async function openDeployedLake(lakeRoot: string, region: string | undefined): Promise<Lake> {
  const lake = new Lake(new S3Objects(new S3Client(region === undefined ? {} : { region })), lakeRoot);
  await requireLake(lake);
  return lake;
}

/** A mistyped address must not be accepted as a lake: no run would find what is written there. */
export async function requireLake(lake: Lake): Promise<void> {
  for (const marker of MARKERS) {
    if (await lake.has(marker)) return;
  }
  throw new DeployedError(
    `There is no lake at ${lake.root} (it has neither ${MARKERS.map(({ key }) => key).join(' nor ')}): name the LakeUri of a ` +
      'deployment that has had at least one run.',
  );
}
