/** Errors of AWS, turned into messages that say what to do. */
import { UserError } from '../../../domain/user-error.ts';

/** A command for a deployed pipeline failed for a reason that the user can fix. */
export class DeployedError extends UserError {
  override readonly name = 'DeployedError';
}

const SIGN_IN = 'sign in (aws sso login, or aws configure), or choose a profile with AWS_PROFILE';

const withoutPermission = (message: string): string =>
  `These credentials do not have the permission: ${message}. Use others with AWS_PROFILE, or ask for the permission.`;
const unknownCredentials = (): string => `AWS does not know these credentials: ${SIGN_IN}.`;
const wrongSignature = (message: string): string =>
  `AWS does not accept these credentials (${message}): ${SIGN_IN}, and check this machine's clock.`;
const wrongRegion = (message: string): string =>
  `The bucket is in another Region (${message}): name it with --region.`;

/** What to do, by the SDK's name of the error. */
const REMEDIES: Readonly<Record<string, (message: string) => string>> = {
  CredentialsProviderError: () => `There are no AWS credentials: ${SIGN_IN}.`,
  ExpiredToken: () => `The AWS credentials have expired: ${SIGN_IN}.`,
  ExpiredTokenException: () => `The AWS credentials have expired: ${SIGN_IN}.`,
  TokenProviderError: () => `The AWS session has expired: ${SIGN_IN}.`,
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
    `${message}. The ARN of a state machine has the form arn:aws:states:REGION:ACCOUNT:stateMachine:NAME.`,
  StateMachineDoesNotExist: (message) =>
    `There is no such pipeline: ${message}. Name another with --stage or --state-machine, or deploy it first.`,
  ResourceNotFound: (message) => `There is no such run: ${message}. \`churn list\` shows the runs.`,
  ExecutionDoesNotExist: (message) => `There is no such run: ${message}. \`churn list\` shows the runs.`,
  StateMachineDeleting: () => 'The pipeline is being deleted: deploy it again.',
  ExecutionLimitExceeded: () =>
    'Too many executions are running in this account: wait for some to finish, or stop them.',
  TimeoutError: (message) => `AWS did not answer in time (${message}): check the network and try again.`,
};

const NO_REGION = /region is missing/i;
const NETWORK = /^(ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ETIMEDOUT)$/;

/** The error with its remedy; an unexpected error is returned unchanged. */
export function withRemedy(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof UserError) return error;
  const remedy = REMEDIES[error.name];
  if (remedy !== undefined) return new DeployedError(remedy(error.message));
  if (NO_REGION.test(error.message)) {
    return new DeployedError('No Region is set: name it with --region, or set AWS_REGION.');
  }
  const code: unknown = Reflect.get(error, 'code');
  if (typeof code === 'string' && NETWORK.test(code)) {
    return new DeployedError(
      `AWS cannot be reached (${error.message}): check the network and the Region's name.`,
    );
  }
  return error;
}
