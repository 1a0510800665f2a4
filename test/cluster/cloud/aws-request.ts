/** Requests to AWS without an SDK: for services that this project has no SDK for, and as another service would send them. */
import { z } from 'zod';
import type { Json } from '../../../local/template/template.ts';
import { ServiceError } from './gateway.ts';

/** The environment variables that say where and as whom to call. */
export type AwsEnvironment = Readonly<Record<string, string>>;

const errorSchema = z.looseObject({
  __type: z.string(),
  message: z.string().optional(),
  Message: z.string().optional(),
});
const TARGETS: Readonly<Record<string, string>> = {
  athena: 'AmazonAthena',
  elasticmapreduce: 'ElasticMapReduce',
  glue: 'AWSGlue',
  states: 'AWSStepFunctions',
};

/** Calls an operation whose request is JSON. @throws ServiceError as the service answered */
export async function callJson(
  environment: AwsEnvironment,
  service: string,
  operation: string,
  request: Json,
): Promise<Json> {
  const response = await fetch(environment.AWS_ENDPOINT_URL ?? '', {
    method: 'POST',
    headers: {
      ...signature(environment, service),
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `${TARGETS[service]}.${operation}`,
    },
    body: JSON.stringify(request),
  });
  const text = await response.text();
  if (response.ok) return z.json().parse(text === '' ? {} : JSON.parse(text));
  const error = errorSchema.parse(JSON.parse(text));
  throw new ServiceError(error.__type.split('#').at(-1) ?? '', error.message ?? error.Message ?? text);
}

/** Calls an operation whose request is a form. @returns the XML of the answer */
export async function callForm(
  environment: AwsEnvironment,
  service: string,
  form: Readonly<Record<string, string>>,
): Promise<string> {
  const response = await fetch(environment.AWS_ENDPOINT_URL ?? '', {
    method: 'POST',
    headers: { ...signature(environment, service), 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form),
  });
  const text = await response.text();
  if (!response.ok) throw new ServiceError(/<Code>([^<]+)</.exec(text)?.[1] ?? 'Unknown', text);
  return text;
}

/** The emulators read who signed for what, and do not check the signature. */
function signature(environment: AwsEnvironment, service: string): Readonly<Record<string, string>> {
  const { AWS_ACCESS_KEY_ID: key, AWS_REGION: region } = environment;
  return {
    authorization: `AWS4-HMAC-SHA256 Credential=${key}/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
  };
}

/** The same for a client of the SDK. */
export function clientOptions(environment: AwsEnvironment) {
  return {
    endpoint: environment.AWS_ENDPOINT_URL ?? '',
    region: environment.AWS_REGION ?? '',
    credentials: {
      accessKeyId: environment.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: environment.AWS_SECRET_ACCESS_KEY ?? '',
    },
  };
}
