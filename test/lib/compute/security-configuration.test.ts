import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { SecurityConfiguration } from '../../../lib/compute/security-configuration.ts';
import { alone } from '../../support/construct-alone.ts';

function securityConfiguration(certificatesUri?: string) {
  let name: unknown;
  const made = alone('pipeline', (stack, { key }) => {
    const { configurationName } = new SecurityConfiguration(stack, 'SecurityConfiguration', {
      key,
      certificatesUri,
    });
    name = stack.resolve(configurationName);
  });
  return { ...made, name };
}

describe('the security configuration', () => {
  const plain = securityConfiguration();
  const withCertificates = securityConfiguration('s3://certificates/emr.zip');

  test('passes cdk-nag', () => {
    expect([...plain.findings, ...withCertificates.findings]).toEqual([]);
  });

  test('encrypts disks and objects under the key, and asks for IMDSv2 with one hop', () => {
    const key = 'arn:aws:kms:eu-central-1:111122223333:key/data';
    plain.template.hasResourceProperties('AWS::EMR::SecurityConfiguration', {
      SecurityConfiguration: {
        EncryptionConfiguration: {
          EnableAtRestEncryption: true,
          EnableInTransitEncryption: false,
          AtRestEncryptionConfiguration: {
            S3EncryptionConfiguration: { EncryptionMode: 'SSE-KMS', AwsKmsKey: key },
            LocalDiskEncryptionConfiguration: { AwsKmsKey: key, EnableEbsEncryption: true },
          },
        },
        InstanceMetadataServiceConfiguration: {
          MinimumInstanceMetadataServiceVersion: 2,
          HttpPutResponseHopLimit: 1,
        },
      },
    });
  });

  test('is kept when another replaces it, for the run that is about to use it, and deleted with its stack', () => {
    plain.template.hasResource('AWS::EMR::SecurityConfiguration', {
      UpdateReplacePolicy: 'Retain',
      DeletionPolicy: 'Delete',
    });
  });

  test('is named by CloudFormation: a fixed name would be taken when an earlier content returns', () => {
    plain.template.hasResourceProperties('AWS::EMR::SecurityConfiguration', { Name: Match.absent() });
    expect(plain.name).toEqual({ Ref: 'SecurityConfiguration' });
  });

  test('turns on encryption in transit with certificates', () => {
    withCertificates.template.hasResourceProperties('AWS::EMR::SecurityConfiguration', {
      SecurityConfiguration: {
        EncryptionConfiguration: {
          EnableInTransitEncryption: true,
          InTransitEncryptionConfiguration: {
            TLSCertificateConfiguration: { S3Object: 's3://certificates/emr.zip' },
          },
        },
      },
    });
  });
});
