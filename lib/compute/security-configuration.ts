/** EMR's security configuration: everything at rest under the key, and only the newer instance metadata service. */
import { CfnDeletionPolicy } from 'aws-cdk-lib';
import { CfnSecurityConfiguration } from 'aws-cdk-lib/aws-emr';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

export interface SecurityConfigurationProps {
  /** Encrypts objects in S3 and local disks. */
  readonly key: IKey;
  /**
   * `s3://bucket/key.zip` of PEM certificates: turns on EMR's own encryption in transit.
   * @default only Spark encrypts what it sends, which takes no certificates
   */
  readonly certificatesUri?: string | undefined;
}

/**
 * EMR cannot change a security configuration: CloudFormation replaces it, and names each by itself, so that returning to
 * an earlier content meets no name that is taken. A replaced one is kept: a run in progress may still name it when it
 * creates its cluster. The last one is deleted with its stack. It belongs to the stack of the state machine, because what
 * another stack imports could not be replaced.
 */
export class SecurityConfiguration extends Construct {
  readonly configurationName: string;

  constructor(scope: Construct, id: string, { key, certificatesUri }: SecurityConfigurationProps) {
    super(scope, id);
    const configuration = new CfnSecurityConfiguration(this, 'Default', {
      securityConfiguration: contentOf(key.keyArn, certificatesUri),
    });
    configuration.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN;
    configuration.cfnOptions.deletionPolicy = CfnDeletionPolicy.DELETE;
    this.configurationName = configuration.ref;
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
