/** ARNs that are formatted instead of referenced: of what does not exist yet, or would make a circular reference. */
import { Aws } from 'aws-cdk-lib';

/** `arn:<partition>:<service>:<region>:<account>:<resource>` of this deployment. */
export function arnOf(service: string, resource: string): string {
  return `arn:${Aws.PARTITION}:${service}:${Aws.REGION}:${Aws.ACCOUNT_ID}:${resource}`;
}
