import { describe, expect, test } from 'vitest';
import type { AwsCall } from './call.ts';
import { compareUnneeded, judge } from './judge.ts';
import type { JudgedWorld } from './needs.ts';
import { decide, type Need, type Statement } from './policy.ts';
import { s3Needs } from './s3-needs.ts';
import { statementsOf } from './statements.ts';

const KEY = 'arn:aws:kms:us-east-1:123456789012:key/data';
const LAKE = 'arn:aws:s3:::lake';
const WORLD: JudgedWorld = {
  account: '123456789012',
  region: 'us-east-1',
  keyOfBucket: (bucket) => (bucket === 'lake' ? KEY : undefined),
  topicKeyArn: KEY,
  resultsBucket: 'results',
  workgroup: 'churn-dev',
  clusterTags: () => ({ 'churn:pipeline': 'churn-dev' }),
  roleArns: new Map([['EMR_Cleanup', 'arn:aws:iam::123456789012:role/aws-service-role/emr/EMR_Cleanup']]),
};

function allow(
  name: string,
  actions: readonly string[],
  resources: readonly string[],
  conditions = {},
): Statement {
  return { name, effect: 'Allow', actions, resources, conditions };
}

function need(action: string, resource: string, context: Need['context'] = {}): Need {
  return { action, resource, context };
}

function call(parts: Partial<AwsCall>): AwsCall {
  return {
    role: 'Reader',
    service: 's3',
    method: 'GET',
    path: '/lake/events/a.json',
    query: {},
    headers: {},
    body: '',
    status: 200,
    answer: '',
    ...parts,
  };
}

/** A call to a service whose requests are JSON. */
function json(service: string, operation: string, body: object): AwsCall {
  return call({
    service,
    method: 'POST',
    path: '/',
    headers: { 'x-amz-target': `X.${operation}` },
    body: JSON.stringify(body),
  });
}

/** The actions that the judge misses if a role may do nothing. */
function missing(one: AwsCall): readonly string[] {
  return judge([one], new Map(), WORLD).denials.map(
    (text) => /needs (.+): no statement/.exec(text)?.[1] ?? text,
  );
}

describe('a policy', () => {
  const read = allow('Read', ['s3:Get*'], [`${LAKE}/*`]);

  test('allows what a statement’s action and resource match, and nothing else', () => {
    expect(decide([read], need('s3:GetObject', `${LAKE}/a/b`)).isAllowed).toBe(true);
    expect(decide([read], need('S3:getobject', `${LAKE}/a`)).isAllowed).toBe(true);
    expect(decide([read], need('s3:PutObject', `${LAKE}/a`)).isAllowed).toBe(false);
    expect(decide([read], need('s3:GetObject', LAKE)).isAllowed).toBe(false);
    expect(decide([], need('s3:GetObject', LAKE)).isAllowed).toBe(false);
  });

  test('a denial wins over what allows', () => {
    const deny: Statement = { ...allow('No', ['s3:*'], [`${LAKE}/secret/*`]), effect: 'Deny' };
    expect(decide([read, deny], need('s3:GetObject', `${LAKE}/secret/a`))).toEqual({
      isAllowed: false,
      by: [deny],
    });
  });

  test('a condition holds only for a request that has the key', () => {
    const own = allow('Own', ['emr:Stop'], ['*'], { StringEquals: { 'emr:ResourceTag/owner': ['us'] } });
    expect(decide([own], need('emr:Stop', 'c', { 'emr:resourcetag/owner': ['us'] })).isAllowed).toBe(true);
    expect(decide([own], need('emr:Stop', 'c', { 'emr:ResourceTag/owner': ['them'] })).isAllowed).toBe(false);
    expect(decide([own], need('emr:Stop', 'c')).isAllowed).toBe(false);
  });

  test('what the judge does not know is an error, not a permission', () => {
    const odd = allow('Odd', ['s3:GetObject'], ['*'], { NumericLessThan: { 's3:max-keys': ['10'] } });
    expect(() => decide([odd], need('s3:GetObject', 'a'))).toThrow(/NumericLessThan/);
    const document = { Statement: [{ Effect: 'Allow', NotAction: 's3:*', Resource: '*' }] };
    expect(() => statementsOf(document)).toThrow();
  });
});

describe('what a call needs', () => {
  test('reading an object needs its key, and a missing one the right to list', () => {
    expect(missing(call({}))).toEqual([`s3:GetObject on ${LAKE}/events/a.json`, `kms:Decrypt on ${KEY}`]);
    expect(missing(call({ status: 404 }))).toEqual([
      `s3:GetObject on ${LAKE}/events/a.json`,
      `s3:ListBucket on ${LAKE}`,
    ]);
  });

  test('writing needs a data key, also that which the request names', () => {
    expect(missing(call({ method: 'PUT' }))).toContain(`kms:GenerateDataKey on ${KEY}`);
    const named = call({
      method: 'PUT',
      path: '/open/a',
      headers: { 'x-amz-server-side-encryption-aws-kms-key-id': 'other' },
    });
    expect(missing(named)).toEqual(['s3:PutObject on arn:aws:s3:::open/a', 'kms:GenerateDataKey on other']);
  });

  test('setting tags of an object is a permission of its own, and needs no key', () => {
    const tagging = { path: '/lake/runs/1/campaign.csv', query: { tagging: '' } };
    expect(missing(call({ ...tagging, method: 'PUT' }))).toEqual([
      `s3:PutObjectTagging on ${LAKE}/runs/1/campaign.csv`,
    ]);
    expect(() => missing(call({ ...tagging, method: 'DELETE' }))).toThrow('does not know DELETE');
  });

  test('a copy needs to read its source, and a batch of deletions each of its keys', () => {
    const copy = call({ method: 'PUT', path: '/lake/b', headers: { 'x-amz-copy-source': '/lake/a%20b' } });
    expect(missing(copy)).toContain(`s3:GetObject on ${LAKE}/a b`);
    const batch = call({
      method: 'POST',
      path: '/lake',
      query: { delete: '' },
      body: '<Delete><Object><Key>a&amp;b</Key></Object><Object><Key>c</Key></Object></Delete>',
    });
    expect(missing(batch)).toEqual([`s3:DeleteObject on ${LAKE}/a&b`, `s3:DeleteObject on ${LAKE}/c`]);
  });

  test('a question about a bucket that nothing should ask is an error', () => {
    expect(() => s3Needs(call({ path: '/lake', query: { policy: '' } }), () => undefined)).toThrow(/policy/);
  });

  test('a table needs the catalog and the database too', () => {
    const get = json('glue', 'GetTable', { DatabaseName: 'churn', Name: 'events' });
    expect(missing(get)).toEqual(
      ['catalog', 'database/churn', 'table/churn/events'].map(
        (resource) => `glue:GetTable on arn:aws:glue:us-east-1:123456789012:${resource}`,
      ),
    );
  });

  test('creating a cluster passes two roles and sets tags', () => {
    const create = json('elasticmapreduce', 'RunJobFlow', {
      ServiceRole: 'arn:aws:iam::123456789012:role/Service',
      JobFlowRole: 'Instances',
      Tags: [{ Key: 'churn:pipeline', Value: 'churn-dev' }],
      AutoTerminationPolicy: {},
    });
    expect(missing(create)).toEqual([
      'elasticmapreduce:RunJobFlow on *',
      'elasticmapreduce:AddTags on arn:aws:elasticmapreduce:us-east-1:123456789012:cluster/new',
      'elasticmapreduce:PutAutoTerminationPolicy on arn:aws:elasticmapreduce:us-east-1:123456789012:cluster/new',
      'iam:PassRole on arn:aws:iam::123456789012:role/Service',
      'iam:PassRole on arn:aws:iam::123456789012:role/Instances',
    ]);
  });

  test('a cluster is judged with its tags', () => {
    const terminate = json('elasticmapreduce', 'TerminateJobFlows', { JobFlowIds: ['j-1'] });
    const may = (value: string): readonly Statement[] => [
      allow('Terminate', ['elasticmapreduce:*'], ['*'], {
        StringEquals: { 'elasticmapreduce:ResourceTag/churn:pipeline': [value] },
      }),
    ];
    expect(judge([terminate], new Map([['Reader', may('churn-dev')]]), WORLD).denials).toEqual([]);
    expect(judge([terminate], new Map([['Reader', may('churn-prod')]]), WORLD).denials).toHaveLength(1);
  });

  test('publishing and reading an answer use keys and objects with the caller’s permissions', () => {
    const publish = call({ service: 'sns', body: 'Action=Publish&TopicArn=topic' });
    expect(missing(publish)).toEqual([
      'sns:Publish on topic',
      `kms:GenerateDataKey on ${KEY}`,
      `kms:Decrypt on ${KEY}`,
    ]);
    const results = json('athena', 'GetQueryResults', { QueryExecutionId: 'q' });
    expect(missing(results)).toContain('s3:GetObject on arn:aws:s3:::results/q.csv');
  });

  test('a service that the judge does not know is an error', () => {
    expect(() => missing(call({ service: 'bedrock' }))).toThrow(/bedrock/);
  });
});

describe('the judge', () => {
  const read = allow('ReadLake', ['s3:GetObject'], [`${LAKE}/*`]);
  const decrypt = allow('UseKey', ['kms:Decrypt'], [KEY]);
  const trace = allow('WriteTraces', ['xray:PutTraceSegments'], ['*']);
  const policies = new Map([['Reader', [read, decrypt, trace]]]);

  test('is silent as long as every call is allowed, and rings when a statement is gone', () => {
    expect(judge([call({})], policies, WORLD).denials).toEqual([]);
    const without = new Map([['Reader', [read, trace]]]);
    expect(judge([call({}), call({})], without, WORLD).denials).toEqual([
      `Reader needs kms:Decrypt on ${KEY}: no statement allows it (s3 GET /lake/events/a.json (answered 200) by Reader)`,
    ]);
  });

  test('a call by somebody else is not allowed', () => {
    expect(judge([call({ role: 'nobody' })], policies, WORLD).denials).not.toEqual([]);
  });

  test('a statement that no call needs has to be listed, and a listed one has to be unneeded', () => {
    const verdict = judge([call({})], policies, WORLD);
    expect(compareUnneeded(verdict, policies, [])).toEqual({
      withoutReason: ['Reader: WriteTraces'],
      outdated: [],
    });
    const reason = 'traces are sent by the service';
    expect(compareUnneeded(verdict, policies, [{ role: 'Read', statement: 'WriteTraces', reason }])).toEqual({
      withoutReason: [],
      outdated: [],
    });
    expect(
      compareUnneeded(verdict, policies, [{ role: 'Reader', statement: 'ReadLake', reason }]).outdated,
    ).toEqual(['Reader: ReadLake']);
  });
});
