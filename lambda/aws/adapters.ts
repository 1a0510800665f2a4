/** The ports of a Lambda in the cloud, from its environment. The SDK finds Region, credentials and endpoints. */
import { AthenaClient } from '@aws-sdk/client-athena';
import { EC2Client } from '@aws-sdk/client-ec2';
import { EMRClient } from '@aws-sdk/client-emr';
import { IAMClient } from '@aws-sdk/client-iam';
import { S3Client } from '@aws-sdk/client-s3';
import { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { SFNClient } from '@aws-sdk/client-sfn';
import { ENVIRONMENT } from '../../domain/operations.ts';
import { systemClock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Ports } from '../ports/ports.ts';
import { PipelineError } from '../run/errors.ts';
import { AthenaSql } from './athena-sql.ts';
import { AwsAccount } from './aws-account.ts';
import { Ec2InstanceMarket } from './ec2-instance-market.ts';
import { Ec2SpotPrices } from './ec2-spot-prices.ts';
import { EmrClusters } from './emr-clusters.ts';
import { S3Objects } from './s3-objects.ts';
import { StepFunctionsExecutions } from './step-functions-executions.ts';
import { StepFunctionsNotifications } from './step-functions-notifications.ts';

/** Throttling is waited out here: the state machine does not retry errors of the function itself. */
const RETRIES = { retryMode: 'adaptive', maxAttempts: 8 } as const;

/** For a question whose answer a run can do without. */
const QUICKLY = { maxAttempts: 2 } as const;

/** A port that a Lambda does not use needs no variable: a missing one is reported at the first use. */
export function awsPorts(environment: Readonly<Record<string, string | undefined>>, log: Log): Ports {
  const required = (name: string): string => {
    const value = environment[name];
    if (value === undefined || value === '') {
      throw new PipelineError(
        'InvalidConfiguration',
        `The environment variable ${name} is missing: deploy again.`,
      );
    }
    return value;
  };
  // Set by Lambda itself; the command line names that of the pipeline.
  const region = environment[ENVIRONMENT.region];
  const at = region === undefined ? {} : { region };
  const forcePathStyle = environment[ENVIRONMENT.s3ForcePathStyle] === 'true';
  const objects = new S3Objects(new S3Client({ ...RETRIES, ...at, forcePathStyle }));
  const sql = new AthenaSql(new AthenaClient({ ...RETRIES, ...at }));
  const clusters = once(
    () => new EmrClusters(new EMRClient({ ...RETRIES, ...at }), required(ENVIRONMENT.pipelineName)),
  );
  const account = once(
    () =>
      new AwsAccount({
        quotas: new ServiceQuotasClient({ ...QUICKLY, ...at }),
        ec2: new EC2Client({ ...QUICKLY, ...at }),
        iam: new IAMClient({ ...QUICKLY, ...at }),
      }),
  );
  const instanceMarket = once(() => new Ec2InstanceMarket(new EC2Client({ ...QUICKLY, ...at })));
  const spotPrices = once(() => new Ec2SpotPrices(new EC2Client({ ...RETRIES, ...at })));
  const executions = once(
    () =>
      new StepFunctionsExecutions(
        new SFNClient({ ...RETRIES, ...at }),
        required(ENVIRONMENT.stateMachineArn),
      ),
  );
  const notifications = once(
    () =>
      new StepFunctionsNotifications(new SFNClient({ ...RETRIES, ...at }), required(ENVIRONMENT.notifierArn)),
  );
  return {
    objects,
    sql,
    log,
    clock: systemClock,
    get clusters() {
      return clusters();
    },
    get account() {
      return account();
    },
    get instanceMarket() {
      return instanceMarket();
    },
    get spotPrices() {
      return spotPrices();
    },
    get executions() {
      return executions();
    },
    get notifications() {
      return notifications();
    },
  };
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
