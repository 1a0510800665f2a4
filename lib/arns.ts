/** ARNs that are formatted instead of referenced: of what does not exist yet, or would make a circular reference. */
import { Aws } from 'aws-cdk-lib';

/** `arn:<partition>:<service>:<region>:<account>:<resource>` of this deployment. */
export function arnOf(service: string, resource: string): string {
  return `arn:${Aws.PARTITION}:${service}:${Aws.REGION}:${Aws.ACCOUNT_ID}:${resource}`;
}

/** The ARNs by which Glue authorizes access to a database and its tables. */
export function glueArns(databaseName: string): readonly string[] {
  return ['catalog', `database/${databaseName}`, `table/${databaseName}/*`].map((resource) =>
    arnOf('glue', resource),
  );
}

/** ARN of a role that belongs to an AWS service. IAM has no Regions. */
export function arnOfServiceLinkedRole(role: { readonly name: string; readonly service: string }): string {
  return `arn:${Aws.PARTITION}:iam::${Aws.ACCOUNT_ID}:role/aws-service-role/${role.service}/${role.name}`;
}
