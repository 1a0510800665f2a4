import { describe, expect, test } from 'vitest';
import { templateDifference } from '../../../../lib/review/templates/template-difference.ts';
import type { Json, JsonObject, Templates } from '../../../../lib/review/templates/template-graph.ts';

interface Names {
  /** Logical ids. */
  readonly key: string;
  readonly lake: string;
  readonly logs: string;
  readonly machine: string;
}

const NAMES: Names = {
  key: 'Key961B73FD',
  lake: 'Lake5A9CD3C4',
  logs: 'Logs6819BB44',
  machine: 'Machine1AB2',
};
const OTHER_NAMES: Names = { key: 'DataKey01', lake: 'LakeBucket02', logs: 'LogBucket03', machine: 'Run04' };

const HASHES = { one: 'a'.repeat(64), other: 'b'.repeat(64) };

interface Details {
  readonly names?: Names;
  readonly sid?: string;
  readonly comment?: string;
  readonly hash?: string;
  readonly action?: string;
  /** The bucket that the machine's definition names. */
  readonly used?: 'lake' | 'logs';
  readonly moreStatements?: readonly JsonObject[];
}

/** Two stacks that refer to each other; buckets that differ in nothing but what names them. */
function app(details: Details = {}): Templates {
  const { names = NAMES, sid = 'UseIt', comment = 'starts', hash = HASHES.one } = details;
  const { action = 'kms:Decrypt', used = 'lake', moreStatements = [] } = details;
  const exportName = (id: string): string => `storage:ExportsOutput${id}`;
  const exported = (id: string, value: Json): JsonObject => ({
    [`ExportsOutput${id}`]: { Value: value, Export: { Name: exportName(id) } },
  });
  return new Map<string, JsonObject>([
    [
      'storage',
      {
        Resources: {
          [names.key]: {
            Type: 'AWS::KMS::Key',
            Properties: { EnableKeyRotation: true, Description: comment },
          },
          [names.lake]: { Type: 'AWS::S3::Bucket', Metadata: { 'aws:cdk:path': names.lake } },
          [names.logs]: { Type: 'AWS::S3::Bucket', DependsOn: [names.key] },
        },
        Outputs: {
          LakeUri: { Value: { 'Fn::Join': ['', ['s3://', { Ref: names.lake }]] } },
          ...exported(names.key, { 'Fn::GetAtt': [names.key, 'Arn'] }),
          ...exported(names.lake, { Ref: names.lake }),
          ...exported(names.logs, { Ref: names.logs }),
        },
      },
    ],
    [
      'pipeline',
      {
        Resources: {
          [names.machine]: {
            Type: 'AWS::StepFunctions::StateMachine',
            Properties: {
              DefinitionString: {
                'Fn::Join': [
                  '',
                  [
                    `{"StartAt":"One","States":{"One":{"Type":"Pass","Comment":"${comment}","Result":"s3://`,
                    { 'Fn::ImportValue': exportName(names[used]) },
                    `/${hash}.py","End":true}}}`,
                  ],
                ],
              },
              Tags: [{ Key: 'Name', Value: `pipeline/${names.machine}` }],
            },
          },
          Policy: {
            Type: 'AWS::IAM::Policy',
            Properties: {
              PolicyDocument: {
                Statement: [
                  { Sid: sid, Action: action, Resource: { 'Fn::ImportValue': exportName(names.key) } },
                  ...moreStatements,
                ],
              },
            },
          },
        },
      },
    ],
  ]);
}

test.each<[string, Details]>([
  ['logical ids, exports and names made of construct paths', { names: OTHER_NAMES }],
  ['the hash of an asset', { hash: HASHES.other }],
  ['a Sid', { sid: 'UseDataKey' }],
  ['comments and descriptions', { comment: 'starts a run' }],
])('a change of %s is no difference', (_, details) => {
  expect(templateDifference(app(), app(details))).toEqual([]);
});

describe('although logical ids have changed, a difference is shown for', () => {
  const changed = (details: Details): readonly string[] =>
    templateDifference(app(), app({ names: OTHER_NAMES, ...details }));

  test('a property', () => {
    expect(changed({ action: 'kms:*' })).toEqual([
      'pipeline/Policy (AWS::IAM::Policy).Properties.PolicyDocument.Statement[0].Action: "kms:Decrypt" -> "kms:*"',
    ]);
  });

  test('a reference that leads to another resource', () => {
    const [line, ...more] = changed({ used: 'logs' });
    expect(more).toEqual([]);
    expect(line).toMatch(/Machine1AB2 = pipeline\/Run04 .*One\.Result: .*Lake5A9CD3C4.* -> .*Logs6819BB44/);
  });

  test('an entry of a list', () => {
    const statement = { Action: 's3:GetObject', Resource: '*' };
    expect(changed({ moreStatements: [statement] })).toEqual([
      expect.stringMatching(/Statement: only in the second: .*s3:GetObject/),
    ]);
  });
});

describe('what is gone or new is shown', () => {
  const bucket = { Type: 'AWS::S3::Bucket' };
  const topic = { Type: 'AWS::SNS::Topic' };
  const one = (template: JsonObject): Templates => new Map([['storage', template]]);

  test.each<[string, JsonObject, JsonObject, string]>([
    [
      'a resource',
      { Resources: { A: bucket, B: topic } },
      { Resources: { C: bucket } },
      'storage/B (AWS::SNS::Topic): only in the first',
    ],
    [
      'one of two resources that are alike',
      { Resources: { A: bucket } },
      { Resources: { A: bucket, B: bucket } },
      'storage/B (AWS::S3::Bucket): only in the second',
    ],
    [
      'a dependency',
      { Resources: { A: bucket, B: { ...topic, DependsOn: 'A' } } },
      { Resources: { A: bucket, B: topic } },
      'storage/B (AWS::SNS::Topic).DependsOn: only in the first: "<storage/A>"',
    ],
    [
      'a deletion policy',
      { Resources: { A: { ...bucket, DeletionPolicy: 'Retain' } } },
      { Resources: { A: bucket } },
      'storage/A (AWS::S3::Bucket).DeletionPolicy: "Retain" -> nothing',
    ],
    [
      'an output for people',
      { Resources: { A: bucket }, Outputs: { Uri: { Value: { Ref: 'A' } } } },
      { Resources: { A: bucket }, Outputs: {} },
      'storage/ (Stack).Outputs: {"Uri":{"Value":{"Ref":"<storage/A>"}}} -> {}',
    ],
  ])('%s', (_, left, right, line) => {
    expect(templateDifference(one(left), one(right))).toEqual([line]);
  });
});
