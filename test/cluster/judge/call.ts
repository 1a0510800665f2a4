/** A request to AWS, as the gateway saw it. */
export interface AwsCall {
  /** Role whose access key signed it. */
  readonly role: string;
  /** Service that it was signed for: `s3`, `glue`, `elasticmapreduce`, ... */
  readonly service: string;
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** By lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Empty for the content of objects. */
  readonly body: string;
  readonly status: number;
  /** What was answered to a call that failed, of a service other than S3. */
  readonly answer: string;
}

/** `GetTable` of a call to a service that names its operations in a header or a form. */
export function operationOf({ headers, body }: Pick<AwsCall, 'headers' | 'body'>): string {
  const target = headers['x-amz-target']?.split('.').at(-1);
  return target ?? new URLSearchParams(body).get('Action') ?? '';
}

/** For people: what was called, on what. */
export function callText(call: AwsCall): string {
  const query = Object.keys(call.query).length === 0 ? '' : `?${new URLSearchParams(call.query)}`;
  const what = call.service === 's3' ? `${call.method} ${call.path}${query}` : operationOf(call);
  return `${call.service} ${what} (answered ${call.status}) by ${call.role}`;
}
