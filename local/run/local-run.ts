/** A whole run on this machine: the synthesized definition over folders, DuckDB and Spark processes. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { KEYS } from '../../domain/lake.ts';
import { REFUSED_ERROR } from '../../domain/operations.ts';
import { currentSchema, runDetailSchema } from '../../domain/records.ts';
import type { RunRequest } from '../../domain/run.ts';
import type { StateName } from '../../domain/states.ts';
import { type Ports, systemClock } from '../../lambda/ports/ports.ts';
import { findJson, lakeUri } from '../../lambda/run/json-objects.ts';
import { ContentTags } from '../adapters/content-tags.ts';
import { DuckDbEngine } from '../adapters/duckdb-engine.ts';
import { filePath } from '../adapters/file-uris.ts';
import { FolderStore } from '../adapters/folder-store.ts';
import { LocalClusters } from '../adapters/local-clusters.ts';
import { LocalExecutions } from '../adapters/local-executions.ts';
import { localInstanceMarket, localSpotPrices } from '../adapters/local-market.ts';
import { athena } from '../handlers/athena.ts';
import { elasticMapReduce } from '../handlers/elasticmapreduce.ts';
import { lambda } from '../handlers/lambda.ts';
import { stepFunctions } from '../handlers/step-functions.ts';
import { type Ending, type StateEvent, startExecution } from '../interpreter/interpreter.ts';
import type { SparkProgress } from '../spark/progress.ts';
import type { LocalDefinition } from '../template/definition.ts';
import type { LakeFolder } from './lake-folder.ts';
import { type LocalFunctions, localFunctions } from './local-functions.ts';
import { LocalNotifications } from './local-notifications.ts';
import { failed, nothingToDo, type RunEnd, type RunSummary, succeeded } from './run-summary.ts';
import { keepScripts } from './scripts.ts';
import { Timeline } from './timeline.ts';

/** Whoever watches a run. */
export interface RunObserver {
  readonly onStart: (runId: string) => void;
  readonly onState: (event: StateEvent) => void;
  readonly onProgress: (stateName: string, progress: SparkProgress) => void;
  /** Something worth telling that is no state. */
  readonly onNote: (text: string) => void;
}

export interface LocalRunOptions {
  readonly lake: LakeFolder;
  readonly definition: LocalDefinition;
  /** `file://` URI of a folder or a file, or a glob in that form. */
  readonly eventsLocation: string;
  readonly request: RunRequest;
  readonly observer: RunObserver;
  /** Aborts the run, as StopExecution would. */
  readonly signal: AbortSignal;
  /** Called once there is something that must be killed when the run may not end in order. */
  readonly onKillable?: (kill: () => Promise<void>) => void;
}

/** Runs to the end, whatever that is, and leaves no process and no lease behind. */
export async function runLocally(options: LocalRunOptions): Promise<RunSummary> {
  const { lake, definition, observer } = options;
  const startedAt = new Date();
  const runId = newRunId(startedAt);
  const executionArn = `${definition.arn.replace(':stateMachine:', ':execution:')}:${runId}`;
  const executions = new LocalExecutions(lake.executions);
  const clusters = new LocalClusters(lake.clusters);
  const sql = new DuckDbEngine({ folder: lake.path, queriesFolder: lake.queries });
  const { notifier } = definition;
  const notifications = new LocalNotifications({ file: lake.notifications, notifier });
  const objects = new FolderStore(new ContentTags(lake.contentTags));
  const ports: Ports = {
    objects,
    sql,
    clusters,
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
    observer.onNote(`run ${closing.runId} had ended without being closed: it is closed now`);
  }
  const assets = await keepScripts(definition, join(lake.path, KEYS.run(runId)));
  const timeline = new Timeline();
  await executions.begin(runId, executionArn, startedAt);
  observer.onStart(runId);
  const execution = startExecution({
    definition: definition.states,
    // A field that is left out is not there, rather than undefined.
    input: JSON.parse(JSON.stringify(options.request)),
    execution: { arn: executionArn, name: runId },
    stateMachine: { arn: definition.arn, name: definition.name },
    handlers: {
      ...lambda({ ports, find: functions.find }),
      ...elasticMapReduce({ lakeFolder: lake.path, clusters, assets, onProgress: observer.onProgress }),
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
  if (ending.status === 'SUCCEEDED') return summarizeSuccess(run, ending.output, ports, lake);
  await functions.close(endedBadlyEvent({ ending, runId, executionArn, startedAt, definition }));
  return summarizeFailure(run, ending, functions, lake);
}

/** Sorts by time, and is unique on one lake. */
function newRunId(startedAt: Date): string {
  const time = startedAt.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  return `local-${time}-${randomBytes(2).toString('hex')}`;
}

type BadEnding = Exclude<Ending, { readonly status: 'SUCCEEDED' }>;

/** What EventBridge would deliver to close-run. */
function endedBadlyEvent(run: {
  readonly ending: BadEnding;
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
      // Only a failure has an error of its own.
      error: status === 'FAILED' ? error : null,
      cause: status === 'FAILED' ? cause : null,
    },
  };
}

async function summarizeSuccess(
  run: RunEnd,
  output: unknown,
  { objects }: Ports,
  lake: LakeFolder,
): Promise<RunSummary> {
  const detailOf = (runId: string) =>
    findJson(objects, lakeUri(lake.root, KEYS.runDetail(runId)), runDetailSchema);
  const reportOf = (runId: string): string => filePath(lakeUri(lake.root, KEYS.report(runId)));
  const detail = await detailOf(run.runId);
  if (detail !== undefined) return succeeded(run, detail.value, reportOf(run.runId));
  const current = await findJson(objects, lakeUri(lake.root, KEYS.current), currentSchema);
  const last = current === undefined ? undefined : await detailOf(current.value.runId);
  const known =
    last === undefined ? undefined : { detail: last.value, report: reportOf(last.value.record.run_id) };
  return nothingToDo(run, reasonIn(output), known);
}

function reasonIn(output: unknown): string {
  const reason = Object(Object(output).plan).reason;
  return typeof reason === 'string' ? reason : 'there is no new file';
}

function summarizeFailure(
  run: RunEnd,
  ending: BadEnding,
  { closings }: LocalFunctions,
  lake: LakeFolder,
): RunSummary {
  const logs = join(lake.path, KEYS.run(run.runId), 'logs');
  const logsOfRun = existsSync(logs) ? logs : null;
  if (ending.status === 'FAILED' && ending.error === REFUSED_ERROR) {
    const whatToDo =
      'wait for that run or stop it, then start again; another lake (--lake) is independent of it';
    return failed(
      run,
      'REFUSED',
      { where: 'PlanRun' satisfies StateName, why: ending.cause, whatToDo },
      logsOfRun,
    );
  }
  // The first closing knows what was caught; the event's comes after it.
  const closing = closings.find(({ runId }) => runId === run.runId);
  const explanation = closing?.explanation ?? {
    where: 'CloseRun' satisfies StateName,
    why: `${ending.error}: ${ending.cause}`,
    whatToDo: 'mend what the message names, then start again',
  };
  return failed(run, ending.status, explanation, logsOfRun);
}
