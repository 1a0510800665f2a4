/** The AWS clients of `churn doctor`, with the user's own credentials. */
import { EC2Client } from '@aws-sdk/client-ec2';
import { EMRClient } from '@aws-sdk/client-emr';
import { IAMClient } from '@aws-sdk/client-iam';
import { LakeFormationClient } from '@aws-sdk/client-lakeformation';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';

export interface DoctorClients {
  readonly ec2: EC2Client;
  readonly emr: EMRClient;
  readonly iam: IAMClient;
  readonly lakeFormation: LakeFormationClient;
  readonly lambda: LambdaClient;
  readonly quotas: ServiceQuotasClient;
  readonly s3: S3Client;
  readonly sns: SNSClient;
  readonly stepFunctions: SFNClient;
}

export function doctorClients(region: string): DoctorClients {
  return {
    ec2: new EC2Client({ region }),
    emr: new EMRClient({ region }),
    iam: new IAMClient({ region }),
    lakeFormation: new LakeFormationClient({ region }),
    lambda: new LambdaClient({ region }),
    quotas: new ServiceQuotasClient({ region }),
    // A bucket in another Region is to be found out, not to be an error.
    s3: new S3Client({ region, followRegionRedirects: true }),
    sns: new SNSClient({ region }),
    stepFunctions: new SFNClient({ region }),
  };
}
