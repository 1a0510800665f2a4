/** All reports of a deployed pipeline in a folder of this machine, where the links between them work. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { REPORT, REPORT_INDEX } from '../../../domain/lake-objects.ts';
import { S3Objects } from '../../../lambda/aws/s3-objects.ts';
import { Lake } from '../../../lambda/run/lake.ts';
import { ProgressLine } from '../../terminal/pace.ts';
import type { DeployedPipeline } from './deployed-pipeline.ts';
import { DeployedError, withRemedy } from './errors.ts';
import { regionOf } from './names.ts';

/** @param report address of one of the reports: the others are beside it. @returns the path of their index */
export async function fetchReports(
  { stateMachineArn }: Pick<DeployedPipeline, 'stateMachineArn'>,
  report: string,
  out: string,
): Promise<string> {
  const bucket = /^s3:\/\/[^/]+/.exec(report)?.[0];
  if (bucket === undefined)
    throw new DeployedError(`The report is at ${report}, which is not an address in S3.`);
  const lake = new Lake(new S3Objects(new S3Client({ region: regionOf(stateMachineArn) })), bucket);
  const folder = resolve(out);
  await mkdir(folder, { recursive: true });
  try {
    return await copyReports(lake, folder);
  } catch (error) {
    throw withRemedy(error);
  }
}

/** Copies every report and their index. @returns the path of the index */
export async function copyReports(lake: Lake, folder: string): Promise<string> {
  const index = await lake.find(REPORT_INDEX);
  if (index === undefined) {
    throw new DeployedError(
      `There is no ${lake.uri(REPORT_INDEX)} yet: the next run that succeeds writes it.`,
    );
  }
  const reports = await lake.list(REPORT);
  const line = new ProgressLine(process.stderr);
  for (const [number, { id, object }] of reports.entries()) {
    line.show(`${number} of ${reports.length} reports`, number / reports.length);
    const page = await lake.find(object);
    if (page !== undefined) await writeFile(join(folder, nameOf(REPORT.of(id).key)), page.value);
  }
  line.clear();
  const path = join(folder, nameOf(REPORT_INDEX.key));
  await writeFile(path, index.value);
  return path;
}

function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}
