/**
 * The names and ARNs that resources would have once deployed. A resource with an explicit name keeps it; any other gets
 * its name from its logical id. Nothing is looked up: the local run never accesses these resources.
 */
import type { Place, Resource } from './template.ts';

/** Properties that name resources, the most specific first. */
const NAME_PROPERTIES = [
  'FunctionName',
  'StateMachineName',
  'BucketName',
  'TopicName',
  'QueueName',
  'RoleName',
  'InstanceProfileName',
  'LogGroupName',
  'SecurityConfigurationName',
  'Name',
];

/** The ARN of a resource type after `arn:aws:`. */
const ARN_FORMATS: Readonly<Record<string, (name: string, place: Place) => string>> = {
  'AWS::IAM::InstanceProfile': (name, { account }) => `iam::${account}:instance-profile/${name}`,
  'AWS::IAM::Role': (name, { account }) => `iam::${account}:role/${name}`,
  'AWS::KMS::Key': (name, { account, region }) => `kms:${region}:${account}:key/${name}`,
  'AWS::Lambda::Function': (name, { account, region }) => `lambda:${region}:${account}:function:${name}`,
  // Its `FunctionName` is all that a template says about a version; Lambda numbers them.
  'AWS::Lambda::Version': (name, { account, region }) => `lambda:${region}:${account}:function:${name}:1`,
  'AWS::Logs::LogGroup': (name, { account, region }) => `logs:${region}:${account}:log-group:${name}:*`,
  'AWS::S3::Bucket': (name) => `s3:::${name}`,
  'AWS::SNS::Topic': (name, { account, region }) => `sns:${region}:${account}:${name}`,
  'AWS::SQS::Queue': (name, { account, region }) => `sqs:${region}:${account}:${name}`,
  'AWS::StepFunctions::StateMachine': (name, { account, region }) =>
    `states:${region}:${account}:stateMachine:${name}`,
};

/** Types whose `Ref` is their ARN. */
const REFERENCED_BY_ARN = new Set([
  'AWS::Lambda::Version',
  'AWS::SNS::Topic',
  'AWS::StepFunctions::StateMachine',
]);

/** Attributes that are a name of the resource. */
const NAMING_ATTRIBUTES = new Set([
  'GroupId',
  'SubnetId',
  'VpcId',
  'KeyId',
  'Name',
  'TopicName',
  'QueueName',
]);

/** The value of `Ref` for a resource. */
export function physicalId(logicalId: string, resource: Resource, place: Place): string {
  const arn = REFERENCED_BY_ARN.has(resource.Type) ? resourceArn(logicalId, resource, place) : undefined;
  return arn ?? nameOf(logicalId, resource);
}

/** The resource's ARN; undefined for a type whose ARN format is not listed here. */
export function resourceArn(logicalId: string, resource: Resource, place: Place): string | undefined {
  const format = ARN_FORMATS[resource.Type];
  return format === undefined ? undefined : `arn:aws:${format(nameOf(logicalId, resource), place)}`;
}

/** An attribute other than the ARN; undefined if its value is known only after deployment. */
export function attributeOf(logicalId: string, resource: Resource, attribute: string): string | undefined {
  return NAMING_ATTRIBUTES.has(attribute) ? nameOf(logicalId, resource) : undefined;
}

function nameOf(logicalId: string, { Properties: properties }: Resource): string {
  for (const property of NAME_PROPERTIES) {
    const name = properties[property];
    if (typeof name === 'string') return name;
  }
  const database = properties.DatabaseInput;
  if (database !== null && typeof database === 'object' && !Array.isArray(database)) {
    if (typeof database.Name === 'string') return database.Name;
  }
  return logicalId;
}
