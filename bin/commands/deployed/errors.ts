/** What went wrong between here and AWS, in words that say what to do. */
import { UserError } from '../../../domain/user-error.ts';

/** A command against a deployed pipeline failed for a reason that its user can fix. */
export class DeployedError extends UserError {
  override readonly name = 'DeployedError';
}

const LOG_IN = 'log in (aws sso login, or aws configure), or choose a profile with AWS_PROFILE';

const withoutPermission = (message: string): string =>
  `These credentials may not do that: ${message}. Take others with AWS_PROFILE, or ask for that permission.`;
const unknownCredentials = (): string => `AWS does not know these credentials: ${LOG_IN}.`;
const wrongSignature = (message: string): string =>
  `AWS does not accept these credentials (${message}): ${LOG_IN}, and set the clock right.`;
const wrongRegion = (message: string): string =>
  `The bucket lies in another Region (${message}): name that one with --region.`;

/** What to do by the name that the SDK gives an error. */
const REMEDIES: Readonly<Record<string, (message: string) => string>> = {
  CredentialsProviderError: () => `There are no AWS credentials: ${LOG_IN}.`,
  ExpiredToken: () => `The AWS credentials have expired: ${LOG_IN}.`,
  ExpiredTokenException: () => `The AWS credentials have expired: ${LOG_IN}.`,
  TokenProviderError: () => `The AWS login has expired: ${LOG_IN}.`,
  UnrecognizedClientException: unknownCredentials,
  InvalidAccessKeyId: unknownCredentials,
  InvalidSignatureException: wrongSignature,
  SignatureDoesNotMatch: wrongSignature,
  AccessDeniedException: withoutPermission,
  AccessDenied: withoutPermission,
  NoSuchBucket: (message) => `There is no such bucket: ${message}. Name the LakeUri of the deployment.`,
  PermanentRedirect: wrongRegion,
  AuthorizationHeaderMalformed: wrongRegion,
  InvalidArn: (message) =>
    `${message}. An ARN of a state machine reads arn:aws:states:REGION:ACCOUNT:stateMachine:NAME.`,
  StateMachineDoesNotExist: (message) =>
    `There is no such pipeline: ${message}. Name another with --stage or --state-machine, or deploy it first.`,
  ResourceNotFound: (message) => `There is no such run: ${message}. \`churn list\` shows those there are.`,
  ExecutionDoesNotExist: (message) =>
    `There is no such run: ${message}. \`churn list\` shows those there are.`,
  StateMachineDeleting: () => 'The pipeline is being deleted: deploy it again.',
  ExecutionLimitExceeded: () => 'Too many executions are open in this account: wait for some, or stop them.',
  TimeoutError: (message) => `AWS did not answer in time (${message}): look to the network, and try again.`,
};

const NO_REGION = /region is missing/i;
const NETWORK = /^(ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ETIMEDOUT)$/;

/** The error with what to do about it; an unexpected one stays as it is. */
export function withRemedy(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof UserError) return error;
  const remedy = REMEDIES[error.name];
  if (remedy !== undefined) return new DeployedError(remedy(error.message));
  if (NO_REGION.test(error.message)) {
    return new DeployedError('No Region is chosen: name it with --region, or set AWS_REGION.');
  }
  const code: unknown = Reflect.get(error, 'code');
  if (typeof code === 'string' && NETWORK.test(code)) {
    return new DeployedError(
      `AWS cannot be reached (${error.message}): look to the network, and to the Region's name.`,
    );
  }
  return error;
}
