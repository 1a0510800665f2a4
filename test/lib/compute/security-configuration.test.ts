import { describe, expect, test } from 'vitest';
import { SecurityConfiguration } from '../../../lib/compute/security-configuration.ts';
import { alone } from '../../support/construct-alone.ts';

function securityConfiguration(certificatesUri?: string) {
  let name = '';
  const made = alone('compute', (stack, { key }) => {
    ({ configurationName: name } = new SecurityConfiguration(stack, 'SecurityConfiguration', {
      prefix: 'churn-dev',
      key,
      certificatesUri,
    }));
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

  test('has another name when its content is another, since EMR cannot change it', () => {
    const names = [plain, withCertificates].map(({ name }) => name);
    expect(new Set(names).size).toBe(2);
    for (const { name, template } of [plain, withCertificates]) {
      expect(name).toMatch(/^churn-dev-[0-9a-f]{8}$/);
      template.hasResourceProperties('AWS::EMR::SecurityConfiguration', { Name: name });
    }
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
