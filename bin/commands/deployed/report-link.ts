/** The latest report of a deployed pipeline, signed with the reader's own credentials. */
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { DeployedPipeline } from './deployed-pipeline.ts';
import { DeployedError, withRemedy } from './errors.ts';
import { executionArnOf, regionOf } from './names.ts';
import { outcomeOf } from './outcome.ts';

/** How many runs are searched for a report: runs that had nothing to do succeed without one. */
const RUNS_SEARCHED = 50;
/** The link also expires with the session of the credentials that signed it. */
const LINK_SECONDS = 3_600;

export interface ReportLink {
  readonly runId: string;
  /** `s3://bucket/key`. */
  readonly report: string;
  /** Opens the report without further credentials, for an hour. */
  readonly link: string;
}

/** @throws DeployedError if no run has created a report */
export async function latestReportLink(
  pipeline: Pick<DeployedPipeline, 'stateMachineArn' | 'latest' | 'describe'>,
): Promise<ReportLink> {
  for (const executionArn of await pipeline.latest(RUNS_SEARCHED, 'SUCCEEDED')) {
    const { runId, report } = outcomeOf(await pipeline.describe(executionArn), new Date());
    if (report !== null)
      return { runId, report, link: await signed(report, regionOf(pipeline.stateMachineArn)) };
  }
  throw new DeployedError('There is no report yet: no run of this pipeline has succeeded.');
}

/** The report of one run, signed. @throws DeployedError if the run has none */
export async function reportLinkOf(
  pipeline: Pick<DeployedPipeline, 'stateMachineArn' | 'describe'>,
  run: string,
): Promise<string> {
  const executionArn = executionArnOf(pipeline.stateMachineArn, run);
  const { report } = outcomeOf(await pipeline.describe(executionArn), new Date());
  if (report === null) {
    throw new DeployedError(`Run ${run} has no report: \`churn list\` shows which runs succeeded.`);
  }
  return signed(report, regionOf(pipeline.stateMachineArn));
}

async function signed(report: string, region: string): Promise<string> {
  const address = /^s3:\/\/([^/]+)\/(.+)$/.exec(report);
  if (address === null) throw new DeployedError(`The report is at ${report}, which is not an address in S3.`);
  const [, Bucket = '', Key = ''] = address;
  try {
    const command = new GetObjectCommand({ Bucket, Key });
    return await getSignedUrl(new S3Client({ region }), command, { expiresIn: LINK_SECONDS });
  } catch (error) {
    throw withRemedy(error);
  }
}
