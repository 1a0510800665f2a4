/**
 * What a deployment may choose, as one typed value. It comes from the app's context: `churn:` keys of cdk.json,
 * overridden by `-c churn:key=value`. Everything is checked before a stack is made, and errors name the key.
 */
import { z } from 'zod';
import { instanceUsdPerHour, STORAGE_GIB_PER_UNIT } from '../domain/cost.ts';
import { databaseName } from '../domain/fields.ts';
import { runSettingsSchema } from '../domain/run.ts';
import { UserError } from '../domain/user-error.ts';
import { recipientProblems } from './recipients.ts';
import { checkSchedule } from './schedule-expression.ts';

/** Begins every key of this project, so that a misspelt one is not taken for a key of CDK's. */
export const CONTEXT_PREFIX = 'churn:';

/** What CloudWatch Logs accepts for the retention of a log group (RetentionDays of aws-cdk-lib). */
export const LOG_RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1_096, 1_827, 2_192, 2_557, 2_922, 3_288,
  3_653,
] as const;

/** Values given with `-c` are text; those in cdk.json have their type already. */
const flag = z.preprocess(
  (value) => (value === 'true' ? true : value === 'false' ? false : value),
  z.boolean(),
);
const whole = (least: number, most: number) =>
  z.preprocess(numberFromText, z.number().int().min(least).max(most));
const retention = z.preprocess(
  numberFromText,
  z.literal(LOG_RETENTION_DAYS, { error: `must be one of ${LOG_RETENTION_DAYS.join(', ')}` }),
);
const amount = z.preprocess(numberFromText, z.number().positive());
const share = z.preprocess(numberFromText, z.number().min(0).max(1));
const list = z.preprocess(
  (value) => (typeof value === 'string' ? value.split(',').map((entry) => entry.trim()) : value),
  z.array(z.string().min(1)).min(1),
);
const document = z.preprocess(
  (value) => (typeof value === 'string' ? jsonFromText(value) : value),
  runSettingsSchema,
);
const bucketName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket, without s3://');

const keyArn = z.string().regex(/^arn:[^:]+:kms:[^:]+:\d{12}:key\/.+$/, 'must be the ARN of a KMS key');

/** Graviton instances of one unit (four vCPUs, 16 GiB or more) whose price is known. */
const instanceTypes = list.superRefine((names, context) => {
  for (const name of names) {
    const problem = instanceTypeProblem(name);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  }
});

/** Each key describes itself; one that may be left out also says what holds then (`absent`). docs/reference shows both. */
export const configurationSchema = z
  .strictObject({
    stage: z
      .enum(['dev', 'prod'])
      .default('dev')
      .describe('`prod` turns the schedule on and keeps logs for a year'),
    name: z
      .string()
      .regex(/^[a-z][a-z0-9-]{1,19}$/, 'must be 2 to 20 of a-z, 0-9 and -, a letter first')
      .default('churn')
      .describe('begins the names of everything that is deployed'),
    account: z
      .string()
      .regex(/^\d{12}$/, 'must be 12 digits')
      .optional()
      .meta({ description: 'AWS account to deploy to', absent: 'from your credentials' }),
    region: z
      .string()
      .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be a Region such as eu-central-1')
      .optional()
      .meta({ description: 'Region to deploy to', absent: 'from your credentials' }),

    database: databaseName.optional().meta({
      description:
        'Glue database of the tables: the one that an earlier deployment has left, when it is imported ([deploy.md](../deploy.md))',
      absent: 'a new one, `<name>_<stage>_<part of the id of the storage stack>`',
    }),
    rawBucket: bucketName
      .optional()
      .meta({ description: 'existing bucket that holds the event files', absent: 'a new bucket' }),
    rawBucketKeyArn: keyArn
      .optional()
      .meta({ description: 'customer key with which the existing bucket is encrypted', absent: 'none' }),
    rawPrefix: z
      .string()
      .regex(/^[^/].*[^/]$/, 'must not begin or end with /')
      .default('events')
      .describe('folder of the event files in the raw bucket, without slashes around it'),

    vpcId: z
      .string()
      .regex(/^vpc-[0-9a-f]+$/)
      .optional()
      .meta({
        description: 'existing VPC for the cluster; what it must have: [deploy.md](../deploy.md)',
        absent: 'a network of its own',
      }),
    vpcCidr: z
      .string()
      .regex(/^\d+\.\d+\.\d+\.\d+\/\d+$/)
      .default('10.71.0.0/20')
      .describe('addresses of the network that is made without `vpcId`'),
    subnetIds: list.optional().meta({
      description: 'isolated or private subnets of the existing VPC',
      absent: 'subnets of its own',
    }),

    primaryInstanceTypes: instanceTypes
      .default(['m7g.xlarge', 'm6g.xlarge'])
      .describe('Graviton types that the primary node may have'),
    coreInstanceTypes: instanceTypes
      .default(['m7g.xlarge', 'm6g.xlarge'])
      .describe('Graviton types that core nodes may have'),
    taskInstanceTypes: instanceTypes
      .default(['m7g.xlarge', 'm6g.xlarge', 'r7g.xlarge', 'r6g.xlarge'])
      .describe(
        'Graviton types that task nodes, on spot, may have: more types, more chances on the spot market',
      ),
    nodeLabels: flag
      .default(true)
      .describe(
        'whether the application master of a step may run on core nodes only, which are on demand; a reclaimed spot instance cannot take it then',
      ),
    volumeGiB: whole(STORAGE_GIB_PER_UNIT, 1_024)
      .default(STORAGE_GIB_PER_UNIT)
      .describe('disk of each instance, in GiB'),
    idleMinutes: whole(10, 10_080)
      .default(30)
      .describe(
        'minutes without work after which a cluster terminates itself; between two steps it has no work until Step Functions polls again, every five minutes',
      ),
    spotTimeoutMinutes: whole(5, 1_440)
      .default(10)
      .describe('minutes for which EMR looks for spot instances before it takes on-demand ones'),
    certificatesUri: z
      .string()
      .regex(/^s3:\/\/[^/]+\/.+\.zip$/, 'must be s3://bucket/key.zip')
      .optional()
      .meta({
        description: "zip of PEM certificates: turns on EMR's own TLS in transit besides Spark's encryption",
        absent: 'none',
      }),

    notebook: flag
      .default(false)
      .describe(
        'whether there is an EMR Studio for notebooks, with a network of its own that has a way out ([notebook.md](../notebook.md) has its cost)',
      ),
    notebookCidr: z
      .string()
      .regex(/^\d+\.\d+\.\d+\.\d+\/\d+$/)
      .default('10.72.0.0/20')
      .describe('addresses of the network of the notebook'),
    notebookIdleMinutes: whole(10, 10_080)
      .default(60)
      .describe('minutes without a kernel or work after which the cluster of a notebook terminates itself'),

    scheduleExpression: z
      .string()
      .superRefine(checkSchedule)
      .default('cron(0 3 ? * MON *)')
      .describe('when a run starts by itself, as EventBridge Scheduler writes it'),
    scheduleTimeZone: z
      .string()
      .refine(isTimeZone, 'must be a time zone such as Europe/Berlin')
      .default('UTC')
      .describe('time zone of the schedule'),
    scheduleWindowMinutes: whole(1, 1_440)
      .default(15)
      .describe('minutes within which the schedule may start a run'),
    scheduleEnabled: flag
      .optional()
      .meta({ description: 'whether runs start by themselves', absent: 'on in prod, off in dev' }),

    alarmEmail: z.email().optional().meta({
      description:
        'address that is notified about every run and every alarm; prod needs it or `alarmTopicArn`',
      absent: 'nobody',
    }),
    alarmTopicArn: z
      .string()
      .regex(
        /^arn:[^:]+:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]+$/,
        'must be the ARN of a standard SNS topic, such as arn:aws:sns:eu-central-1:111122223333:oncall',
      )
      .optional()
      .meta({
        description:
          'existing topic that is notified instead of a new one; what its owner must allow: [deploy.md](../deploy.md)',
        absent: 'a topic of its own',
      }),
    alarmTopicKeyArn: keyArn
      .optional()
      .meta({ description: 'customer key with which the existing topic is encrypted', absent: 'none' }),
    alarmMaxHoursWithoutSuccess: amount.optional().meta({
      description: 'hours without a successful run after which an alarm is raised',
      absent: 'twice the time between scheduled starts; no such alarm without a schedule',
    }),
    alarmMaxLogAgeDays: amount.optional().meta({
      description: 'age in days of the newest day with events above which an alarm is raised',
      absent: 'no such alarm',
    }),
    alarmMaxClusterHours: amount
      .default(6)
      .describe('age of a cluster in hours above which an alarm is raised'),
    alarmMinAreaUnderCurve: share
      .default(0.65)
      .describe('area under the ROC curve of the chosen model below which an alarm is raised'),
    alarmMaxQuarantinePercent: amount
      .default(2)
      .describe('percentage of refused rows above which an alarm is raised'),
    runbookRoot: z
      .string()
      .regex(
        /^https?:\/\/\S*[^\s/]$/,
        'must be the URL of docs/runbooks, such as https://git.example.com/churn/docs/runbooks, without / at the end',
      )
      .optional()
      .meta({
        description:
          'URL of docs/runbooks where the operators can open it: alarms link the runbooks below it',
        absent: "the alarms' descriptions name the file in the repository",
      }),

    athenaScanLimitGiB: whole(1, 10_240)
      .default(200)
      .describe('GiB that one query in the workgroup may read'),
    logRetentionDays: retention
      .optional()
      .meta({ description: 'days for which logs are kept', absent: '365 in prod, 30 in dev' }),

    deleteData: flag
      .default(false)
      .describe('first of two confirmations: without both, no data is deleted with its stack'),
    confirmDeleteData: z
      .string()
      .optional()
      .meta({ description: 'second confirmation: `<name>-<stage>`', absent: 'none' }),

    run: document
      .default(runSettingsSchema.parse({}))
      .describe('defaults of every run, as JSON (next section)'),
  })
  .superRefine((value, context) => {
    const issue = (key: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [key], message });
    const prefix = `${value.name}-${value.stage}`;
    if (value.deleteData && value.confirmDeleteData !== prefix) {
      issue('confirmDeleteData', `must be "${prefix}" too before data may be deleted (deleteData is on)`);
    }
    if (value.rawBucketKeyArn !== undefined && value.rawBucket === undefined) {
      issue('rawBucketKeyArn', 'can be set only together with rawBucket');
    }
    if ((value.vpcId === undefined) !== (value.subnetIds === undefined)) {
      issue('subnetIds', 'vpcId and subnetIds must be given together or not at all');
    }
    for (const [key, message] of recipientProblems(value)) issue(key, message);
  });

type Checked = z.infer<typeof configurationSchema>;
type Staged = 'scheduleEnabled' | 'logRetentionDays';

/** The configuration with the defaults of its stage filled in. */
export type Configuration = Omit<Checked, Staged> & {
  readonly [Key in Staged]-?: NonNullable<Checked[Key]>;
} & {
  /** Begins physical names: name and stage. */
  readonly prefix: string;
};

/** A configuration that cannot be deployed. The message has one line for each problem, with the name of its key. */
export class ConfigurationError extends UserError {
  override readonly name = 'ConfigurationError';
}

/**
 * Reads the configuration from the app's context.
 * @throws ConfigurationError naming every key that is unknown or invalid
 */
export function readConfiguration(context: Readonly<Record<string, unknown>>): Configuration {
  const ours = Object.entries(context).flatMap(([key, value]) =>
    key.startsWith(CONTEXT_PREFIX) ? [[key.slice(CONTEXT_PREFIX.length), value]] : [],
  );
  const checked = configurationSchema.safeParse(Object.fromEntries(ours));
  if (!checked.success) throw new ConfigurationError(explain(checked.error));
  const production = checked.data.stage === 'prod';
  return {
    ...checked.data,
    scheduleEnabled: checked.data.scheduleEnabled ?? production,
    logRetentionDays: checked.data.logRetentionDays ?? (production ? 365 : 30),
    prefix: `${checked.data.name}-${checked.data.stage}`,
  };
}

function explain(error: z.ZodError): string {
  const lines = error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => `${CONTEXT_PREFIX}${[...issue.path, key].join('.')}: no such key`);
    }
    return [`${CONTEXT_PREFIX}${issue.path.join('.')}: ${issue.message}`];
  });
  return `The configuration cannot be deployed:\n${lines.map((line) => `  ${line}`).join('\n')}
Set each in cdk.json or with -c key=value; docs/reference/configuration.md lists them all.`;
}

function instanceTypeProblem(name: string): string | undefined {
  const [family = '', size] = name.split('.');
  if (!/^[a-z]+\d+g/.test(family))
    return `${name} is not a Graviton instance (the Python packages are built for arm64)`;
  if (size !== 'xlarge')
    return `${name} is not one unit of capacity: an xlarge has the four vCPUs that sizing assumes`;
  if (instanceUsdPerHour(name, 'us-east-1') === undefined)
    return `${name} has no price in domain/cost.ts: add its family there`;
  return undefined;
}

function numberFromText(value: unknown): unknown {
  return typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))
    ? Number(value)
    : value;
}

function jsonFromText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
