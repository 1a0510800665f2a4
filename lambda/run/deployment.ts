/** What a Lambda knows about its deployment, read once from its environment. */
import { z } from 'zod';
import { databaseName } from '../../domain/fields.ts';
import { ENVIRONMENT, type Fleets } from '../../domain/operations.ts';
import { type RunSettings, runSettingsSchema } from '../../domain/run.ts';
import { PipelineError } from './errors.ts';

/** Where the Spark steps run: on an EMR cluster that is sized and paid for, or on this machine. */
export type Platform = 'emr' | 'local';

export interface Deployment {
  /** Root of the lake: `s3://bucket` or `file:///folder`, without a slash at the end. */
  readonly lakeRoot: string;
  /** Database of the lake's tables. */
  readonly database: string;
  /** Folder, file or glob of event files, for requests that name none. */
  readonly eventsRoot: string;
  readonly platform: Platform;
  /** Region of the deployment: its instances, and their prices. */
  readonly region: string;
  /** Names what the steps are executed with. */
  readonly release: string;
  /** Names what training is executed with. */
  readonly trainingRelease: string;
  readonly settings: RunSettings;
  readonly fleets: Fleets;
  readonly subnetIds: readonly string[];
}

const environmentSchema = z.object({
  [ENVIRONMENT.lakeRoot]: z.string().min(1),
  [ENVIRONMENT.database]: databaseName,
  [ENVIRONMENT.eventsRoot]: z.string().min(1),
  [ENVIRONMENT.platform]: z.enum(['emr', 'local']).default('emr'),
  [ENVIRONMENT.region]: z.string().min(1).default('us-east-1'),
  [ENVIRONMENT.release]: z.string().min(1),
  [ENVIRONMENT.trainingRelease]: z.string().min(1),
  [ENVIRONMENT.runSettings]: z.string().default('{}'),
  [ENVIRONMENT.fleets]: z.string().default('{}'),
  [ENVIRONMENT.subnetIds]: z.string().default(''),
});

const instanceTypes = z.array(z.string()).default([]);
const fleetsSchema = z.strictObject({
  primary: instanceTypes,
  core: instanceTypes,
  task: instanceTypes,
}) satisfies z.ZodType<Fleets>;

/**
 * Reads it from environment variables.
 * @throws InvalidConfiguration naming every variable that is missing or invalid
 */
export function readDeployment(environment: Readonly<Record<string, string | undefined>>): Deployment {
  const variables = environmentSchema.safeParse(environment);
  if (!variables.success) throw invalidConfiguration(z.prettifyError(variables.error));
  return {
    lakeRoot: variables.data[ENVIRONMENT.lakeRoot].replace(/\/+$/, ''),
    database: variables.data[ENVIRONMENT.database],
    eventsRoot: variables.data[ENVIRONMENT.eventsRoot],
    platform: variables.data[ENVIRONMENT.platform],
    region: variables.data[ENVIRONMENT.region],
    release: variables.data[ENVIRONMENT.release],
    trainingRelease: variables.data[ENVIRONMENT.trainingRelease],
    settings: readJsonVariable(
      ENVIRONMENT.runSettings,
      variables.data[ENVIRONMENT.runSettings],
      runSettingsSchema,
    ),
    fleets: readJsonVariable(ENVIRONMENT.fleets, variables.data[ENVIRONMENT.fleets], fleetsSchema),
    subnetIds: variables.data[ENVIRONMENT.subnetIds].split(',').filter((id) => id !== ''),
  };
}

function readJsonVariable<Value>(name: string, text: string, schema: z.ZodType<Value>): Value {
  const value = schema.safeParse(parseJson(name, text));
  if (!value.success) throw invalidConfiguration(`${name}: ${z.prettifyError(value.error)}`);
  return value.data;
}

function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidConfiguration(`${name} is not JSON: ${text}`);
  }
}

function invalidConfiguration(message: string): PipelineError {
  return new PipelineError(
    'InvalidConfiguration',
    `${message}\nCorrect the Lambda's environment and deploy again.`,
  );
}
