/** The link by which a reader opens a report. */

/**
 * The S3 console's page of the object, which asks readers for their own credentials and so outlives the run
 * (a presigned link dies with the signer's session); the address itself where it is a file.
 */
export function reportLink(reportUri: string, region: string): string {
  const object = /^s3:\/\/([^/]+)\/(.+)$/.exec(reportUri);
  if (object === null) return reportUri;
  const [, bucket = '', key = ''] = object;
  const query = new URLSearchParams({ region, prefix: key });
  return `https://${region}.console.aws.amazon.com/s3/object/${bucket}?${query}`;
}
