/**
 * Which permissions a call needs, by AWS's service authorization reference: its own action and resource, and what the
 * service does with the caller's permissions. A call that is not known here is an error, so that nothing goes unjudged.
 */
import { z } from 'zod';
import { type AwsCall, operationOf } from './call.ts';
import type { Need } from './policy.ts';
import { s3Needs } from './s3-needs.ts';

/** What the templates say about the resources that calls name. */
export interface JudgedWorld {
  readonly account: string;
  readonly region: string;
  /** ARN of the key that a bucket encrypts with, if one does. */
  readonly keyOfBucket: (bucket: string) => string | undefined;
  /** ARN of the key of the topic. */
  readonly topicKeyArn: string;
  readonly resultsBucket: string;
  readonly workgroup: string;
  /** Tags of a cluster that was created, by its id. */
  readonly clusterTags: (clusterId: string) => Readonly<Record<string, string>>;
  /** ARNs of roles that calls name without their paths. */
  readonly roleArns: ReadonlyMap<string, string>;
}

type Services = Readonly<Record<string, (call: AwsCall, world: JudgedWorld) => readonly Need[]>>;

const SERVICES: Services = {
  s3: (call, world) => s3Needs(call, world.keyOfBucket),
  glue: glueNeeds,
  elasticmapreduce: emrNeeds,
  athena: athenaNeeds,
  states: stepFunctionsNeeds,
  lambda: ({ path }) => [need('lambda:InvokeFunction', path)],
  sns: snsNeeds,
  ec2: anywhere('ec2'),
  servicequotas: anywhere('servicequotas'),
  iam: (call, { roleArns }) => {
    const role = new URLSearchParams(call.body).get('RoleName') ?? '';
    return [need(`iam:${operationOf(call)}`, roleArns.get(role) ?? `unknown role ${role}`)];
  },
};

export function needsOf(call: AwsCall, world: JudgedWorld): readonly Need[] {
  const service = SERVICES[call.service];
  if (service === undefined) throw new Error(`the judge does not know the service ${call.service}`);
  return service(call, world);
}

function need(action: string, resource: string, context: Need['context'] = {}): Need {
  return { action, resource, context };
}

/** Operations that have no resource to name. */
function anywhere(service: string): (call: AwsCall) => readonly Need[] {
  return (call) => [need(`${service}:${operationOf(call)}`, '*')];
}

const glueSchema = z.looseObject({
  DatabaseName: z.string().optional(),
  Name: z.string().optional(),
  TableInput: z.looseObject({ Name: z.string() }).optional(),
});

/** A call on a table needs the action on the catalog, the database and the table alike. */
function glueNeeds(call: AwsCall, { account, region }: JudgedWorld): readonly Need[] {
  const operation = operationOf(call);
  const { DatabaseName, Name, TableInput } = glueSchema.parse(JSON.parse(call.body));
  const ofTable = /^(Get|Create|Update|Delete)Tables?$/.test(operation);
  if (!ofTable && operation !== 'GetDatabase') throw unknownCall(call);
  const database = ofTable ? DatabaseName : Name;
  const table = TableInput?.Name ?? (operation === 'GetTables' ? '*' : Name);
  const resources = ['catalog', `database/${database}`, ...(ofTable ? [`table/${database}/${table}`] : [])];
  return resources.map((resource) =>
    need(`glue:${operation}`, `arn:aws:glue:${region}:${account}:${resource}`),
  );
}

const tagsSchema = z.array(z.object({ Key: z.string(), Value: z.string() })).default([]);
const runJobFlowSchema = z.looseObject({
  Tags: tagsSchema,
  ServiceRole: z.string(),
  JobFlowRole: z.string(),
  AutoTerminationPolicy: z.unknown().optional(),
});
const onClusterSchema = z.looseObject({
  ClusterId: z.string().optional(),
  JobFlowId: z.string().optional(),
  JobFlowIds: z.array(z.string()).default([]),
});
/** Of EMR's documentation: to whom RunJobFlow passes the two roles. */
const PASSED_TO = {
  ServiceRole: 'elasticmapreduce.amazonaws.com',
  JobFlowRole: 'ec2.amazonaws.com',
} as const;

function emrNeeds(call: AwsCall, world: JudgedWorld): readonly Need[] {
  const operation = operationOf(call);
  const action = `elasticmapreduce:${operation}`;
  const body: unknown = JSON.parse(call.body);
  if (operation === 'ListClusters') return [need(action, '*')];
  const cluster = (id: string): string =>
    `arn:aws:elasticmapreduce:${world.region}:${world.account}:cluster/${id}`;
  if (operation === 'RunJobFlow') {
    const request = runJobFlowSchema.parse(body);
    const asked = Object.fromEntries(
      request.Tags.map(({ Key, Value }) => [`elasticmapreduce:RequestTag/${Key}`, [Value]]),
    );
    const passRole = (role: 'ServiceRole' | 'JobFlowRole'): Need =>
      need('iam:PassRole', `arn:aws:iam::${world.account}:role/${nameOfRole(request[role])}`, {
        'iam:PassedToService': [PASSED_TO[role]],
      });
    return [
      need(action, '*', asked),
      ...(request.Tags.length === 0 ? [] : [need('elasticmapreduce:AddTags', cluster('new'), asked)]),
      ...(request.AutoTerminationPolicy === undefined
        ? []
        : [need('elasticmapreduce:PutAutoTerminationPolicy', cluster('new'))]),
      passRole('ServiceRole'),
      passRole('JobFlowRole'),
    ];
  }
  const { ClusterId, JobFlowId, JobFlowIds } = onClusterSchema.parse(body);
  const ids = [...[ClusterId, JobFlowId].filter((id) => id !== undefined), ...JobFlowIds];
  if (ids.length === 0) throw unknownCall(call);
  return ids.map((id) => need(action, cluster(id), resourceTags(world.clusterTags(id))));
}

function resourceTags(tags: Readonly<Record<string, string>>): Need['context'] {
  return Object.fromEntries(
    Object.entries(tags).map(([key, value]) => [`elasticmapreduce:ResourceTag/${key}`, [value]]),
  );
}

/** A role is named by its name or its ARN. */
function nameOfRole(role: string): string {
  return role.split('/').at(-1) ?? role;
}

const queryIdSchema = z.looseObject({ QueryExecutionId: z.string() });

function athenaNeeds(call: AwsCall, world: JudgedWorld): readonly Need[] {
  const operation = operationOf(call);
  const workgroup = `arn:aws:athena:${world.region}:${world.account}:workgroup/${world.workgroup}`;
  const own = need(`athena:${operation}`, workgroup);
  switch (operation) {
    case 'StartQueryExecution':
    case 'GetQueryExecution':
      return [own];
    case 'GetQueryResults': {
      // Athena reads the result with the caller's permissions.
      const { QueryExecutionId: id } = queryIdSchema.parse(JSON.parse(call.body));
      const object = `arn:aws:s3:::${world.resultsBucket}/${id}.csv`;
      const key = world.keyOfBucket(world.resultsBucket);
      return [
        own,
        need('s3:GetObject', object),
        need('s3:GetBucketLocation', `arn:aws:s3:::${world.resultsBucket}`),
        ...(key === undefined ? [] : [need('kms:Decrypt', key)]),
      ];
    }
    default:
      throw unknownCall(call);
  }
}

const statesSchema = z.looseObject({
  executionArn: z.string().optional(),
  stateMachineArn: z.string().optional(),
});

function stepFunctionsNeeds(call: AwsCall): readonly Need[] {
  const { executionArn, stateMachineArn } = statesSchema.parse(JSON.parse(call.body));
  const resource = executionArn ?? stateMachineArn;
  if (resource === undefined) throw unknownCall(call);
  return [need(`states:${operationOf(call)}`, resource)];
}

/** Publishing to an encrypted topic uses its key with the caller's permissions. */
function snsNeeds(call: AwsCall, { topicKeyArn }: JudgedWorld): readonly Need[] {
  const topic = new URLSearchParams(call.body).get('TopicArn') ?? '';
  return [
    need(`sns:${operationOf(call)}`, topic),
    need('kms:GenerateDataKey', topicKeyArn),
    need('kms:Decrypt', topicKeyArn),
  ];
}

function unknownCall(call: AwsCall): Error {
  return new Error(
    `the judge does not know ${call.service} ${operationOf(call)}: add it to test/cluster/judge/needs.ts`,
  );
}
