/** A whole run on this machine: the synthesized definition over folders, DuckDB and Spark processes. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CURRENT, logFolder, REPORT, RUN_DETAIL, runFolder } from '../../domain/lake-objects.ts';
import { REFUSED_ERROR } from '../../domain/operations.ts';
import type { RunRequest } from '../../domain/run.ts';
import type { StateName } from '../../domain/states.ts';
import { systemClock } from '../../lambda/ports/clock.ts';
import type { Ports } from '../../lambda/ports/ports.ts';
import { countHeldFiles } from '../../lambda/run/held-files.ts';
import { Lake } from '../../lambda/run/lake.ts';
import { ContentTags } from '../adapters/content-tags.ts';
import { DuckDbEngine } from '../adapters/duckdb-engine.ts';
import { filePath } from '../adapters/file-uris.ts';
import { FolderStore } from '../adapters/folder-store.ts';
import { LocalClusters } from '../adapters/local-clusters.ts';
import { LocalExecutions } from '../adapters/local-executions.ts';
import { localAccount, localInstanceMarket, localSpotPrices } from '../adapters/local-market.ts';
import { athena } from '../handlers/athena.ts';
import { elasticMapReduce } from '../handlers/elasticmapreduce.ts';
import { lambda } from '../handlers/lambda.ts';
import { stepFunctions } from '../handlers/step-functions.ts';
import { type Ending, type StateEvent, startExecution } from '../interpreter/interpreter.ts';
import type { SparkProgress } from '../spark/progress.ts';
import { sharedEngine } from '../spark/shared-engine.ts';
import type { StepRunner } from '../spark/step-runner.ts';
import type { LocalDefinition } from '../template/definition.ts';
import { removeExpired } from './expired-objects.ts';
import type { LakeFolder } from './lake-folder.ts';
import { type LocalFunctions, localFunctions } from './local-functions.ts';
import { LocalNotifications } from './local-notifications.ts';
import {
  failed,
  type KnownRun,
  nothingToDo,
  type RunEnd,
  type RunSummary,
  succeeded,
} from './run-summary.ts';
import { keepScripts } from './scripts.ts';
import { Timeline } from './timeline.ts';

/** Receives what happens in a run. */
export interface RunObserver {
  readonly onStart: (runId: string) => void;
  readonly onState: (event: StateEvent) => void;
  readonly onProgress: (stateName: string, progress: SparkProgress) => void;
  /** Something worth showing that is not about a state. */
  readonly onNote: (text: string) => void;
}

export interface LocalRunOptions {
  readonly lake: LakeFolder;
  readonly definition: LocalDefinition;
  /** `file://` URI of a folder, a file or a glob. */
  readonly eventsLocation: string;
  readonly request: RunRequest;
  readonly observer: RunObserver;
  /** Aborts the run, as StopExecution would. */
  readonly signal: AbortSignal;
  /** Called once there are processes that must be killed if the run is not given the time to stop cleanly. */
  readonly onKillable?: (kill: () => Promise<void>) => void;
  /** Makes what runs the steps of a cluster; default: one Spark application for all of them. */
  readonly newRunner?: () => StepRunner;
}

/** Runs to the end, success or failure, and leaves neither processes nor the lease behind. */
export async function runLocally(options: LocalRunOptions): Promise<RunSummary> {
  const { lake, definition, observer } = options;
  const startedAt = new Date();
  const runId = newRunId(startedAt);
  const executionArn = `${definition.arn.replace(':stateMachine:', ':execution:')}:${runId}`;
  const timeline = new Timeline();
  const executions = new LocalExecutions(lake.executions, () => timeline.visits());
  const clusters = new LocalClusters(lake.clusters);
  const sql = new DuckDbEngine({ folder: lake.path, queriesFolder: lake.queries });
  const { notifier } = definition;
  const notifications = new LocalNotifications({ file: lake.notifications, notifier });
  const objects = new FolderStore(new ContentTags(lake.contentTags), lake.path);
  const ports: Ports = {
    objects,
    sql,
    clusters,
    account: localAccount,
    instanceMarket: localInstanceMarket,
    spotPrices: localSpotPrices,
    executions,
    notifications,
    log: { warn: observer.onNote },
    clock: systemClock,
  };
  const functions = localFunctions(definition, ports, {
    lakeRoot: lake.root,
    eventsLocation: options.eventsLocation,
  });
  for (const closing of await functions.close({ sweep: true })) {
    observer.onNote(`run ${closing.runId} had ended without being closed; it has been closed now`);
  }
  await removeExpired(lake.path, functions.planner.settings, startedAt);
  const assets = await keepScripts(definition, join(lake.path, runFolder(runId)));
  await executions.begin(runId, executionArn, startedAt);
  observer.onStart(runId);
  const execution = startExecution({
    definition: definition.states,
    // Removes fields that are undefined.
    input: JSON.parse(JSON.stringify(options.request)),
    execution: { arn: executionArn, name: runId },
    stateMachine: { arn: definition.arn, name: definition.name },
    handlers: {
      ...lambda({ ports, find: functions.find }),
      ...elasticMapReduce({
        lakeFolder: lake.path,
        clusters,
        assets,
        onProgress: observer.onProgress,
        newRunner: options.newRunner ?? sharedEngine,
      }),
      ...athena(sql),
      ...stepFunctions({ notifierArn: notifier.arn, notifications }),
    },
    onEvent: (event) => {
      timeline.record(event);
      observer.onState(event);
    },
  });
  options.onKillable?.(() => clusters.kill(runId));
  if (options.signal.aborted) execution.abort();
  options.signal.addEventListener('abort', execution.abort, { once: true });
  const ending = await execution.ended;
  options.signal.removeEventListener('abort', execution.abort);
  const run: RunEnd = { runId, states: timeline.states(new Date()) };
  await executions.end(runId, ending.status, new Date());
  if (ending.status === 'SUCCEEDED')
    return summarizeSuccess(run, ending.output, new Lake(objects, lake.root));
  await functions.close(failureEvent({ ending, runId, executionArn, startedAt, definition }));
  return summarizeFailure(run, ending, functions, lake);
}

/** Run ids sort by time and are unique within a lake. */
function newRunId(startedAt: Date): string {
  const time = startedAt.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  return `local-${time}-${randomBytes(2).toString('hex')}`;
}

type FailedEnding = Exclude<Ending, { readonly status: 'SUCCEEDED' }>;

/** The event that EventBridge would deliver to close-run. */
function failureEvent(run: {
  readonly ending: FailedEnding;
  readonly runId: string;
  readonly executionArn: string;
  readonly startedAt: Date;
  readonly definition: LocalDefinition;
}): unknown {
  const { status, error, cause } = run.ending;
  return {
    source: 'aws.states',
    'detail-type': 'Step Functions Execution Status Change',
    detail: {
      executionArn: run.executionArn,
      stateMachineArn: run.definition.arn,
      name: run.runId,
      status,
      startDate: run.startedAt.getTime(),
      stopDate: Date.now(),
      // Only a failed execution has an error.
      error: status === 'FAILED' ? error : null,
      cause: status === 'FAILED' ? cause : null,
    },
  };
}

async function summarizeSuccess(run: RunEnd, output: unknown, lake: Lake): Promise<RunSummary> {
  const own = await knownRun(run.runId, lake);
  if (own !== undefined) return succeeded(run, own);
  const current = await lake.find(CURRENT);
  const last = current === undefined ? undefined : await knownRun(current.value.runId, lake);
  return nothingToDo(run, reasonIn(output), last);
}

async function knownRun(runId: string, lake: Lake): Promise<KnownRun | undefined> {
  const detail = await lake.find(RUN_DETAIL.of(runId));
  if (detail === undefined) return undefined;
  const report = filePath(lake.uri(REPORT.of(runId)));
  return { detail: detail.value, report, files: await countHeldFiles(lake) };
}

function reasonIn(output: unknown): string {
  const reason = Object(Object(output).plan).reason;
  return typeof reason === 'string' ? reason : 'there are no new files';
}

function summarizeFailure(
  run: RunEnd,
  ending: FailedEnding,
  { closings }: LocalFunctions,
  lake: LakeFolder,
): RunSummary {
  const logs = join(lake.path, logFolder(run.runId));
  const logsOfRun = existsSync(logs) ? logs : null;
  if (ending.status === 'FAILED' && ending.error === REFUSED_ERROR) {
    const whatToDo = 'wait for that run or stop it, then start again; or use another lake (--lake)';
    return failed(
      run,
      'REFUSED',
      { where: 'PlanRun' satisfies StateName, why: ending.cause, whatToDo },
      logsOfRun,
    );
  }
  // The first closing has the error that was caught; the closing for the event comes after it.
  const closing = closings.find(({ runId }) => runId === run.runId);
  const explanation = closing?.explanation ?? {
    where: 'CloseRun' satisfies StateName,
    why: `${ending.error}: ${ending.cause}`,
    whatToDo: 'fix what the message names, then start again',
  };
  return failed(run, ending.status, explanation, logsOfRun);
}
