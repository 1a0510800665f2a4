/** The link that opens a report. */

/**
 * The S3 console's page of the object, for which readers use their own credentials, so that it works after the run
 * (a presigned link expires with the signer's session). For a file, its URI.
 */
export function reportLink(reportUri: string, region: string): string {
  const object = /^s3:\/\/([^/]+)\/(.+)$/.exec(reportUri);
  if (object === null) return reportUri;
  const [, bucket = '', key = ''] = object;
  const query = new URLSearchParams({ region, prefix: key });
  return `https://${region}.console.aws.amazon.com/s3/object/${bucket}?${query}`;
}
