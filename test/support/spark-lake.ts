/** A lake in a temporary folder, and Spark to run one step of the pipeline on it. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance, type Json } from '@duckdb/node-api';
import { each } from '../../domain/each.ts';
import { FEATURE_TABLES } from '../../domain/features/features-table.ts';
import { LOCAL_DATABASE, TABLES } from '../../domain/lake.ts';
import {
  CAMPAIGN,
  CHOICE,
  LEDGER,
  modelFolder,
  PLAN,
  runFolder,
  STEP_ERROR,
  STEP_RESULT,
} from '../../domain/lake-objects.ts';
import { type StepError, stepErrorSchema } from '../../domain/results.ts';
import {
  type EventFile,
  type RunPlan,
  runPlanSchema,
  runSettingsSchema,
  STEP_NAMES,
} from '../../domain/run.ts';
import type { Step } from '../../emr-steps/step.ts';
import { fileUri } from '../../local/adapters/file-uris.ts';
import { lakeViews } from '../../local/adapters/lake-views.ts';
import { LOG4J_PROPERTIES, localSparkSettings, propertiesText } from '../../local/spark/configuration.ts';
import { javaOptions } from '../../local/spark/java-options.ts';
import { sparkSubmit } from '../../local/spark/submit.ts';
import { duckdbExtensions } from '../../setup/environment.mjs';

const HARNESS = new URL('./step_harness.py', import.meta.url).pathname;
const SETTINGS = runSettingsSchema.parse({});
const DAY_MILLISECONDS = 86_400_000;

/** A new empty folder for a test. */
export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'churn test '));
}

/** The event files of a folder, as PlanRun would list them. */
export async function eventFiles(folder: string): Promise<readonly EventFile[]> {
  const names = (await readdir(folder)).sort();
  return Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const { size: bytes } = await stat(path);
      const etag = createHash('sha256')
        .update(await readFile(path))
        .digest('hex');
      return { uri: fileUri(path), etag, bytes };
    }),
  );
}

export interface PlanOptions {
  readonly runId: string;
  /** Default: now. */
  readonly plannedAt?: Date;
  /** Default: that of a lake on this machine. */
  readonly database?: string;
  readonly files: readonly EventFile[];
  readonly abandonedBatchIds?: readonly string[];
  readonly ingest?: Partial<RunPlan['ingest']>;
  readonly training?: Partial<RunPlan['training']>;
  readonly scoring?: Partial<RunPlan['scoring']>;
  readonly champion?: RunPlan['champion'];
  readonly expiredRuns?: RunPlan['expiredRuns'];
}

/** Writes and returns the plan of a run over the files. */
export async function writePlan(lakeFolder: string, options: PlanOptions): Promise<RunPlan> {
  const { runId, files } = options;
  const at = (key: string): string => `${fileUri(lakeFolder)}/${key}`;
  const batchId = createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 16);
  const plan = runPlanSchema.parse({
    runId,
    executionArn: `arn:aws:states:eu-west-1:123456789012:execution:test:${runId}`,
    plannedAt: (options.plannedAt ?? new Date()).toISOString(),
    release: 'test',
    lakeRoot: fileUri(lakeFolder),
    database: options.database ?? LOCAL_DATABASE,
    batch: { batchId, ingestDate: '2026-01-01', files: [...files] },
    abandonedBatchIds: [...(options.abandonedBatchIds ?? [])],
    ingest: {
      earliestEventMilliseconds: Date.parse(SETTINGS.earliestEventDay),
      latestEventMilliseconds: Date.now() + DAY_MILLISECONDS,
      maxQuarantineShare: SETTINGS.maxQuarantineShare,
      shufflePartitions: 2,
      slicesPerDay: 1,
      ...options.ingest,
    },
    training: {
      horizonDays: SETTINGS.horizonDays,
      minHistoryDays: SETTINGS.minHistoryDays,
      cutoffStepDays: SETTINGS.cutoffStepDays,
      cutoffAnchor: null,
      maxCutoffs: SETTINGS.maxCutoffs,
      minDailyShare: SETTINGS.minDailyShare,
      observationEnd: null,
      minCancellations: SETTINGS.minCancellations,
      folds: SETTINGS.folds,
      seed: SETTINGS.seed,
      boostingWorkers: 1,
      excludedFeatures: [],
      retrospective: false,
      ...options.training,
    },
    champion: options.champion ?? null,
    currentTag: null,
    observedBefore: null,
    promotion: {
      mode: SETTINGS.promotion,
      margin: SETTINGS.promotionMargin,
      leakageAuc: SETTINGS.leakageAuc,
      leakageInputAuc: SETTINGS.leakageInputAuc,
      acceptedFeatures: [],
      maxQuarantineShare: SETTINGS.maxQuarantineShare,
    },
    train: { mode: 'always', askedBy: 'setting', fingerprint: 'test' },
    scoring: {
      controlGroupShare: SETTINGS.controlGroupShare,
      controlGroupSalt: SETTINGS.controlGroupSalt,
      terms: SETTINGS.terms,
      campaignDays: SETTINGS.campaignDays,
      ...options.scoring,
    },
    expiredRuns: [...(options.expiredRuns ?? [])],
    cluster: { coreUnits: 1, taskUnits: 1, executors: 1, estimatedMinutes: 0, estimatedUsd: 0 },
    outputs: {
      results: each(STEP_NAMES, (step) => at(STEP_RESULT[step].of(runId).key)),
      errors: each(STEP_NAMES, (step) => at(STEP_ERROR[step].of(runId).key)),
      ledger: at(LEDGER.of(batchId).key),
      model: at(modelFolder(runId)),
      choice: at(CHOICE.of(runId).key),
      campaign: at(CAMPAIGN.of(runId).key),
    },
  } satisfies RunPlan);
  await mkdir(join(lakeFolder, runFolder(runId)), { recursive: true });
  await writeFile(join(lakeFolder, PLAN.of(runId).key), JSON.stringify(plan));
  return plan;
}

/** Spark's settings and a step's script in their own folder. */
export class SparkBench {
  readonly #folder: string;
  readonly #step: Step<unknown>;

  constructor(folder: string, step: Step<unknown>) {
    this.#folder = folder;
    this.#step = step;
  }

  /** Runs the step for one plan after another in one Spark session; each plan has its own lake. */
  async runAll(plans: readonly RunPlan[]): Promise<void> {
    const code = await this.#submit(
      [HARNESS, await this.#writeScript(), ...plans.map(planPath)],
      plans[0],
      never(),
    );
    if (code !== 0) throw new Error(`the harness failed: ${await readFile(this.#log(), 'utf8')}`);
  }

  /** Runs the step as EMR does; the signal kills it. Returns the exit code; undefined if it was killed. */
  async submit(plan: RunPlan, signal: AbortSignal = never()): Promise<number | undefined> {
    return this.#submit([await this.#writeScript(), '--plan', fileUri(planPath(plan))], plan, signal);
  }

  /** The output of the processes. */
  log(): Promise<string> {
    return readFile(this.#log(), 'utf8');
  }

  #log(): string {
    return join(this.#folder, 'step.log');
  }

  async #writeScript(): Promise<string> {
    const script = join(this.#folder, this.#step.scriptName);
    await writeFile(script, this.#step.script);
    return script;
  }

  async #submit(
    args: readonly string[],
    plan: RunPlan | undefined,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    if (plan === undefined) throw new Error('no plan to run');
    const configurationFolder = join(this.#folder, 'conf');
    const scratchFolder = join(this.#folder, 'scratch');
    await mkdir(configurationFolder, { recursive: true });
    await mkdir(scratchFolder, { recursive: true });
    const settings = localSparkSettings({ lakeFolder: lakeFolderOf(plan), scratchFolder, defined: {} });
    await writeFile(join(configurationFolder, 'spark-defaults.conf'), propertiesText(settings));
    await writeFile(join(configurationFolder, 'log4j2.properties'), LOG4J_PROPERTIES);
    const [script = '', ...options] = args;
    return sparkSubmit({
      script,
      arguments: options,
      configurationFolder,
      workingFolder: this.#folder,
      javaOptions: javaOptions(scratchFolder, true),
      logFile: this.#log(),
      signal,
      onStart: async () => {},
      onProgress: () => {},
    });
  }
}

/** Result of a step, by its own schema. */
export async function resultOf<Result>(step: Step<Result>, plan: RunPlan): Promise<Result> {
  return step.result.parse(await readJson(plan.outputs.results[step.name]));
}

/** Error file of a step. */
export async function errorOf(step: Step<unknown>, plan: RunPlan): Promise<StepError> {
  return stepErrorSchema.parse(await readJson(plan.outputs.errors[step.name]));
}

/** Rows of a query over the lake's tables. */
export async function queryLake(
  lakeFolder: string,
  sql: string,
  database = LOCAL_DATABASE,
): Promise<readonly Record<string, Json>[]> {
  const instance = await DuckDBInstance.create(':memory:', { autoinstall_known_extensions: 'false' });
  const connection = await instance.connect();
  try {
    for (const extension of [duckdbExtensions.avro, duckdbExtensions.iceberg])
      await connection.run(`LOAD '${extension}'`);
    for (const statement of lakeViews(lakeFolder, [...TABLES, ...FEATURE_TABLES], database))
      await connection.run(statement);
    return (await connection.runAndReadAll(sql)).getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function lakeFolderOf(plan: RunPlan): string {
  return plan.lakeRoot.slice('file://'.length);
}

function planPath(plan: RunPlan): string {
  return join(lakeFolderOf(plan), PLAN.of(plan.runId).key);
}

async function readJson(uri: string): Promise<unknown> {
  return JSON.parse(await readFile(uri.slice('file://'.length), 'utf8'));
}

function never(): AbortSignal {
  return new AbortController().signal;
}
