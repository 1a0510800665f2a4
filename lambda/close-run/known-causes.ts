/** Messages of EMR and EC2 that name a symptom, or the wrong cause, with what is really behind them. */
import { MANAGED_POLICY_TAG } from '../../domain/operations.ts';

export interface KnownCause {
  /** What the message has in it. */
  readonly message: RegExp;
  readonly why: string;
  readonly whatToDo: string;
}

const SPOT_ROLE = 'AWSServiceRoleForEC2Spot';
const CREATE_SPOT_ROLE = 'aws iam create-service-linked-role --aws-service-name spot.amazonaws.com';
const EMR_TAG = `${MANAGED_POLICY_TAG.key} = ${MANAGED_POLICY_TAG.value}`;

/** The first whose message is found explains the failure. */
export const KNOWN_CAUSES: readonly KnownCause[] = [
  {
    message: /insufficient EC2 permissions/i,
    why:
      'EMR blames its role, but the role may use only what carries the tag ' +
      `${EMR_TAG}: a subnet or a security group of the cluster lacks it`,
    whatToDo:
      `tag the VPC, the subnets (churn:subnetIds) and the security groups of the cluster with ${EMR_TAG}; ` +
      '`churn doctor --stage …` names those that lack it. If none does, a policy of the organization denies a call: ' +
      'CloudTrail shows it (user agent elasticmapreduce.amazonaws.com, error Client.UnauthorizedOperation)',
  },
  {
    message: /Client\.InternalError/,
    why:
      'that is how EC2 says that it may not use the KMS key of a volume. Spot instances are launched by the role ' +
      `${SPOT_ROLE}: it does not exist, or the key of the deployment does not let it in; on-demand instances are ` +
      'launched by the service role of EMR: the key is disabled, or its policy was changed',
    whatToDo:
      `create the role if it does not exist (${CREATE_SPOT_ROLE}), and let it use the key (aws kms create-grant ` +
      '--key-id <key> --grantee-principal ' +
      `arn:aws:iam::<account>:role/aws-service-role/spot.amazonaws.com/${SPOT_ROLE} --operations Decrypt Encrypt ` +
      'GenerateDataKey GenerateDataKeyWithoutPlaintext ReEncryptFrom ReEncryptTo CreateGrant DescribeKey)',
  },
  {
    message: /AWSServiceRoleForEMRCleanup/,
    why: 'the role with which EMR cleans up has to exist in the account before the first cluster',
    whatToDo:
      'create it (aws iam create-service-linked-role --aws-service-name elasticmapreduce.amazonaws.com)',
  },
  {
    message: /ServiceLinkedRoleCreationNotPermitted/,
    why: `the role ${SPOT_ROLE}, which launches spot instances, does not exist, and EMR may not create it`,
    whatToDo: `create it (${CREATE_SPOT_ROLE})`,
  },
  {
    message:
      /VcpuLimitExceeded|MaxSpotInstanceCountExceeded|exceeds? (your|the) EC2 (service )?(quota|limit)/i,
    why: "the account's quota of EC2 does not allow as many vCPUs as the cluster needs beside what is in use",
    whatToDo: 'ask for more: `churn doctor --stage …` names the quota and the number',
  },
];

/** What is behind a message, if it is known. */
export function knownCause(message: string): KnownCause | undefined {
  return KNOWN_CAUSES.find((known) => known.message.test(message));
}
