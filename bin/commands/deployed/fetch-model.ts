/** What a training of a deployed run has left, copied to this machine to be compared. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { modelIn } from '../../../domain/lake-objects.ts';
import type { RunPlan } from '../../../domain/run.ts';
import { S3Objects } from '../../../lambda/aws/s3-objects.ts';
import type { TrainedFiles } from '../../../local/run/train-again.ts';
import { DeployedError } from './errors.ts';

/** Objects as they are, whatever is in them. */
export interface ObjectFiles {
  /** Addresses of the objects below a folder. */
  readonly list: (folder: string) => Promise<readonly string[]>;
  readonly bytes: (uri: string) => Promise<Uint8Array>;
}

/** Objects in S3, with the user's own credentials. */
export function filesInS3(region: string): ObjectFiles {
  const client = new S3Client({ region });
  const objects = new S3Objects(client);
  return {
    list: async (folder) => (await objects.list(folder)).map(({ uri }) => uri),
    bytes: async (uri) => {
      const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri) ?? [];
      const object = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return (await object.Body?.transformToByteArray()) ?? new Uint8Array();
    },
  };
}

/**
 * Copies the model and the result of a training into a folder.
 * @throws DeployedError when the run has stored no model
 */
export async function fetchTraining(
  files: ObjectFiles,
  { runId, outputs, lakeRoot }: Pick<RunPlan, 'runId' | 'outputs' | 'lakeRoot'>,
  folder: string,
): Promise<TrainedFiles> {
  const { model, results } = outputs;
  const description = modelIn(model).uriIn(lakeRoot);
  const uris = await files.list(`${model}/`);
  if (!uris.includes(description)) throw new DeployedError(`Run ${runId} has left no ${description}.`);
  const copied = join(folder, 'model');
  for (const uri of uris) await copy(files, uri, join(copied, uri.slice(model.length + 1)));
  const result = join(folder, 'train-models.json');
  await copy(files, results['train-models'], result);
  const read = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));
  return {
    result: await read(result),
    description: await read(join(copied, description.slice(model.length + 1))),
    folder: copied,
  };
}

async function copy(files: ObjectFiles, uri: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, await files.bytes(uri));
}
