import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { synthesize } from '../../support/synthesize.ts';
import { configuration, resources, template } from '../resources.ts';

describe('compute', () => {
  test('encrypts disks and objects, and asks for IMDSv2', () => {
    template('compute').hasResourceProperties('AWS::EMR::SecurityConfiguration', {
      SecurityConfiguration: {
        EncryptionConfiguration: {
          EnableAtRestEncryption: true,
          EnableInTransitEncryption: false,
          AtRestEncryptionConfiguration: {
            S3EncryptionConfiguration: { EncryptionMode: 'SSE-KMS' },
            LocalDiskEncryptionConfiguration: {
              EncryptionKeyProviderType: 'AwsKms',
              EnableEbsEncryption: true,
            },
          },
        },
        InstanceMetadataServiceConfiguration: {
          MinimumInstanceMetadataServiceVersion: 2,
          HttpPutResponseHopLimit: 1,
        },
      },
    });
  });

  test('the security configuration is named by its content, and the state machine has the name as text', () => {
    const withCertificates = synthesize({ 'churn:certificatesUri': 's3://certificates/emr.zip' });
    const names = [template, withCertificates.template].map((of) => {
      const [name] = Object.values(of('compute').findResources('AWS::EMR::SecurityConfiguration')).map(
        ({ Properties }) => String(Properties.Name),
      );
      const [machine] = Object.values(
        of('pipeline').findResources('AWS::StepFunctions::StateMachine', {
          Properties: { StateMachineName: configuration.prefix },
        }),
      );
      expect(JSON.stringify(machine?.Properties.DefinitionString)).toContain(
        `\\"SecurityConfiguration\\":\\"${name}\\"`,
      );
      return name;
    });
    expect(names).toEqual([
      expect.stringMatching(/^churn-dev-[0-9a-f]{8}$/),
      expect.stringMatching(/^churn-dev-[0-9a-f]{8}$/),
    ]);
    expect(new Set(names)).toHaveProperty('size', 2);
  });

  test('the instance profile is named as its role', () => {
    const [[, profile] = ['', undefined]] = resources('compute', 'AWS::IAM::InstanceProfile');
    expect(profile?.Properties?.Roles).toEqual([profile?.Properties?.InstanceProfileName]);
  });

  test("EMR may use the key for this account's volumes only", () => {
    template('compute').hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: 'kms:CreateGrant',
            Condition: { Bool: { 'kms:GrantIsForAWSResource': true } },
          }),
        ]),
      },
    });
  });
});
