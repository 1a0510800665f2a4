/** What is retried, and how often: only errors that mean nothing has happened yet, or that follow work that may be done twice. */
import { Duration } from 'aws-cdk-lib';
import { JitterType, type RetryProps } from 'aws-cdk-lib/aws-stepfunctions';

const BACKING_OFF = { backoffRate: 2, jitterStrategy: JitterType.FULL, maxDelay: Duration.minutes(5) };

/**
 * Every Lambda may run twice with the same result. `Lambda.Unknown` is a crash, such as running out of memory;
 * an error that the function throws itself has its own name and is not retried.
 */
export const LAMBDA_RETRY: RetryProps = {
  ...BACKING_OFF,
  errors: [
    'Lambda.ClientExecutionTimeoutException',
    'Lambda.ServiceException',
    'Lambda.AWSLambdaException',
    'Lambda.SdkClientException',
    'Lambda.TooManyRequestsException',
    'Lambda.Unknown',
  ],
  interval: Duration.seconds(2),
  maxAttempts: 5,
};

/**
 * Step Functions gives every error of EMR's own API one name, throttling among them. It means that a call was
 * refused, so a repeated RunJobFlow does not create a second cluster. An error that waiting cannot fix (a wrong
 * parameter) fails a few minutes later than it could.
 */
export const EMR_RETRY: RetryProps = {
  ...BACKING_OFF,
  errors: ['EMR.AmazonElasticMapReduceException'],
  interval: Duration.seconds(20),
  maxAttempts: 4,
};

/** Errors before or during a query. It may run twice, because it only counts. */
export const ATHENA_RETRY: RetryProps = {
  ...BACKING_OFF,
  errors: [
    'Athena.AmazonAthenaException',
    'Athena.TooManyRequestsException',
    'Athena.InternalServerException',
  ],
  interval: Duration.seconds(5),
  maxAttempts: 4,
};

/**
 * SNS has answered, and not accepted the message. Where there was no answer (`SNS.SdkClientException`) it may have
 * accepted it: such a message is not sent again, so that none is delivered twice.
 */
export const SNS_RETRY: RetryProps = {
  ...BACKING_OFF,
  errors: [
    'SNS.AmazonSNSException',
    'SNS.ThrottledException',
    'SNS.InternalErrorException',
    // Throttling by KMS, as the two versions of the AWS SDK for Java spell it.
    'SNS.KMSThrottlingException',
    'SNS.KmsThrottlingException',
  ],
  interval: Duration.seconds(2),
  maxAttempts: 6,
};

/** Starting an execution under a name that was used starts nothing, so every error may be retried. */
export const NOTIFIER_RETRY: RetryProps = {
  ...BACKING_OFF,
  errors: [
    'StepFunctions.AWSStepFunctionsException',
    'StepFunctions.SdkClientException',
    'StepFunctions.ExecutionLimitExceededException',
    'StepFunctions.ExecutionLimitExceeded',
  ],
  interval: Duration.seconds(2),
  maxAttempts: 4,
};
