// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are CloudFormation's own placeholders
import { describe, expect, it } from 'vitest';
import { resolve, UnresolvableTemplateError } from '../../../local/template/intrinsics.ts';
import { type Json, type StackTemplate, templateSchema } from '../../../local/template/template.ts';

const stack = (stackName: string, template: Json): StackTemplate => ({
  stackName,
  account: '111111111111',
  region: 'eu-west-1',
  template: templateSchema.parse(template),
});

const network = stack('Network', {
  Resources: { Group: { Type: 'AWS::EC2::SecurityGroup' }, Key: { Type: 'AWS::KMS::Key' } },
  Outputs: {
    Zone: { Value: { 'Fn::Select': [1, { 'Fn::GetAZs': '' }] } },
    GroupId: {
      Value: { 'Fn::GetAtt': ['Group', 'GroupId'] },
      Export: { Name: { 'Fn::Sub': '${AWS::StackName}:GroupId' } },
    },
  },
});
const main = stack('Main', {
  Parameters: { BootstrapVersion: { Default: '/cdk-bootstrap/version' }, Unset: {} },
  Resources: {
    Database: { Type: 'AWS::Glue::Database', Properties: { DatabaseInput: { Name: 'churn' } } },
    Role: { Type: 'AWS::IAM::Role' },
    Function: { Type: 'AWS::Lambda::Function', Properties: { FunctionName: 'churn-plan' } },
    Version: { Type: 'AWS::Lambda::Version', Properties: { FunctionName: { Ref: 'Function' } } },
    Alarm: { Type: 'AWS::CloudWatch::Alarm' },
  },
});
const resolved = (value: Json): Json => resolve(value, main, [main, network]);

describe('resolving CloudFormation intrinsic functions', () => {
  it.each<[string, Json, Json]>([
    ['Ref to a resource', { Ref: 'Role' }, 'Role'],
    ['Ref to a Glue database', { Ref: 'Database' }, 'churn'],
    [
      'Ref to a version of a function',
      { Ref: 'Version' },
      'arn:aws:lambda:eu-west-1:111111111111:function:churn-plan:1',
    ],
    ['Ref to a parameter', { Ref: 'BootstrapVersion' }, '/cdk-bootstrap/version'],
    ['a pseudo parameter', { Ref: 'AWS::Region' }, 'eu-west-1'],
    ['GetAtt', { 'Fn::GetAtt': ['Role', 'Arn'] }, 'arn:aws:iam::111111111111:role/Role'],
    ['Join', { 'Fn::Join': ['', ['a', { Ref: 'AWS::Partition' }, 1]] }, 'aaws1'],
    [
      'Sub',
      { 'Fn::Sub': 's3://assets-${AWS::AccountId}-${Role.Arn}/${!x}' },
      's3://assets-111111111111-arn:aws:iam::111111111111:role/Role/${x}',
    ],
    ['Sub with variables', { 'Fn::Sub': ['${a}-${AWS::Region}', { a: { Ref: 'Role' } }] }, 'Role-eu-west-1'],
    ['Select and GetAZs', { 'Fn::Select': [2, { 'Fn::GetAZs': '' }] }, 'eu-west-1c'],
    ['Split', { 'Fn::Split': [':', 'a:b'] }, ['a', 'b']],
    ['ImportValue from another stack', { 'Fn::ImportValue': 'Network:GroupId' }, 'Group'],
    ['a nested value', { a: [{ b: { Ref: 'Role' } }, null, true] }, { a: [{ b: 'Role' }, null, true] }],
  ])('%s', (_name, value, expected) => {
    expect(resolved(value)).toEqual(expected);
  });

  it.each<[string, Json, string]>([
    ['a condition', { 'Fn::If': ['x', 1, 2] }, 'Fn::If'],
    ['a parameter without default', { Ref: 'Unset' }, 'Unset'],
    ['a resource that does not exist', { 'Fn::GetAtt': ['Nothing', 'Arn'] }, 'Nothing'],
    ['an attribute known only after deployment', { 'Fn::GetAtt': ['Role', 'RoleId'] }, 'RoleId'],
    ['an ARN of unknown format', { 'Fn::GetAtt': ['Alarm', 'Arn'] }, 'AWS::CloudWatch::Alarm'],
    ['an export that does not exist', { 'Fn::ImportValue': 'Elsewhere' }, 'Elsewhere'],
    ['a list joined into text', { 'Fn::Join': ['', [['a']]] }, 'Fn::Join'],
  ])('refuses %s and names it', (_name, value, named) => {
    expect(() => resolved(value)).toThrow(UnresolvableTemplateError);
    expect(() => resolved(value)).toThrow(named);
  });
});
