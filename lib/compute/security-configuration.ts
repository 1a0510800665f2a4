/** EMR's security configuration: everything at rest under the key, and only the newer instance metadata service. */
import { createHash } from 'node:crypto';
import { Stack } from 'aws-cdk-lib';
import { CfnSecurityConfiguration } from 'aws-cdk-lib/aws-emr';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

export interface SecurityConfigurationProps {
  /** Begins the name. */
  readonly prefix: string;
  /** Encrypts objects in S3 and local disks. */
  readonly key: IKey;
  /**
   * `s3://bucket/key.zip` of PEM certificates: turns on EMR's own encryption in transit.
   * @default only Spark encrypts what it sends, which takes no certificates
   */
  readonly certificatesUri?: string | undefined;
}

/** Digits of a hash in a name: enough to distinguish a handful. */
const HASH_LENGTH = 8;

/**
 * EMR cannot change a security configuration, and CloudFormation cannot replace one under the same name: so its content
 * is part of the name. The name is text rather than a reference: what another stack imports could not be replaced.
 */
export class SecurityConfiguration extends Construct {
  readonly configurationName: string;

  constructor(scope: Construct, id: string, { prefix, key, certificatesUri }: SecurityConfigurationProps) {
    super(scope, id);
    const content = contentOf(key.keyArn, certificatesUri);
    const hash = createHash('sha256').update(JSON.stringify(Stack.of(this).resolve(content)));
    this.configurationName = `${prefix}-${hash.digest('hex').slice(0, HASH_LENGTH)}`;
    new CfnSecurityConfiguration(this, 'Default', {
      name: this.configurationName,
      securityConfiguration: content,
    });
  }
}

function contentOf(keyArn: string, certificatesUri: string | undefined): object {
  return {
    EncryptionConfiguration: {
      EnableAtRestEncryption: true,
      AtRestEncryptionConfiguration: {
        S3EncryptionConfiguration: { EncryptionMode: 'SSE-KMS', AwsKmsKey: keyArn },
        LocalDiskEncryptionConfiguration: {
          EncryptionKeyProviderType: 'AwsKms',
          AwsKmsKey: keyArn,
          EnableEbsEncryption: true,
        },
      },
      // Spark encrypts its own traffic without certificates (spark-defaults); Hadoop's traffic needs them.
      EnableInTransitEncryption: certificatesUri !== undefined,
      ...(certificatesUri === undefined
        ? {}
        : {
            InTransitEncryptionConfiguration: {
              TLSCertificateConfiguration: { CertificateProviderType: 'PEM', S3Object: certificatesUri },
            },
          }),
    },
    InstanceMetadataServiceConfiguration: {
      MinimumInstanceMetadataServiceVersion: 2,
      HttpPutResponseHopLimit: 1,
    },
  };
}
