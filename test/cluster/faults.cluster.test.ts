/**
 * What is lost during a run: executors, an application master, a node; and a start while the cluster of an earlier run is
 * still terminating. The run succeeds nevertheless, or is closed as close-run promises and can be resumed; either way the
 * tables are those of a local run.
 */
import { join } from 'node:path';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LEASE, RUN_RECORD } from '../../domain/lake-objects.ts';
import { runRecordSchema } from '../../domain/records.ts';
import type { StateName } from '../../domain/states.ts';
import { generateLog } from '../../generator/generate.ts';
import type { Ending } from '../../local/interpreter/interpreter.ts';
import { compareLakes } from './compare-lakes.ts';
import { awaited, type Container, containersBelow, isApplicationMaster } from './containers.ts';
import { type RehearsalFolder, rehearsalFolder } from './folder.ts';
import { judge } from './judge/judge.ts';
import { runOnThisMachine } from './local-run.ts';
import { BOOSTING_WORKERS } from './overrides.ts';
import { type Rehearsal, startRehearsal, upload } from './rehearsal.ts';
import { applicationTasks } from './spark-events.ts';

const MINUTE = 60_000;
/** The smallest log from which boosted trees are trained: four users cancel before its last weeks. */
const LOG = { users: 50, days: 50, seed: 1 } as const;
/** Barrier tasks fit on core nodes, of which there is one here, with one slot: they have it when the other node is lost. */
const WORKERS_ON_CORE_NODES = 1;

let root: RehearsalFolder | undefined;
let folder: string;
let log: string;

beforeAll(async () => {
  root = await rehearsalFolder('faults');
  folder = root.path;
  log = join(folder, 'log');
  await generateLog({ ...LOG, outputFolder: log });
}, 5 * MINUTE);

afterAll(() => root?.remove());

const localLakes = new Map<number, Promise<string>>();

/** Folder of the lake of a local run with so many boosting workers; there is one run for each number. */
function localLake(boostingWorkers: number): Promise<string> {
  const lake = join(folder, `lake-${boostingWorkers}`);
  const known =
    localLakes.get(boostingWorkers) ?? runOnThisMachine(lake, log, {}, boostingWorkers).then(() => lake);
  localLakes.set(boostingWorkers, known);
  return known;
}

/** A deployment of its own, with the log in it. */
async function inAccount(
  name: string,
  use: (rehearsal: Rehearsal) => Promise<void>,
  boostingWorkers = BOOSTING_WORKERS,
): Promise<void> {
  const rehearsal = await startRehearsal(join(folder, name), { boostingWorkers });
  try {
    await upload(rehearsal.s3, log, rehearsal.eventsRoot);
    await use(rehearsal);
    expect(judge(rehearsal.gateway.calls, rehearsal.deployment.policies, rehearsal.world).denials).toEqual(
      [],
    );
  } finally {
    await rehearsal.stop();
  }
}

/** Does something once in each state, as soon as the state is entered. */
function inStates(faults: Partial<Record<StateName, () => Promise<void>>>) {
  const done: Promise<void>[] = [];
  const remaining = new Map(Object.entries(faults));
  return {
    onEvent: ({ kind, state }: { readonly kind: string; readonly state: string }): void => {
      const fault = remaining.get(state);
      if (kind !== 'entered' || fault === undefined) return;
      remaining.delete(state);
      done.push(fault());
    },
    /** Rejects with the first fault that could not be made. */
    happened: async (): Promise<void> => {
      await Promise.all(done);
      expect([...remaining.keys()]).toEqual([]);
    },
  };
}

/** Waits until a step on the newest cluster has executors; until it has begun a barrier stage, if one is asked for. */
async function stepWithTasks(rehearsal: Rehearsal, state: StateName, isBarrier = false): Promise<void> {
  await awaited(
    isBarrier ? `${state} boosts` : `${state} has executors`,
    async () => {
      const folderOfStep = rehearsal.clusters.at(-1)?.stepFolder(state) ?? '';
      const tasks = await applicationTasks(join(folderOfStep, 'events')).catch(() => undefined);
      if (tasks === undefined) return undefined;
      return (isBarrier ? tasks.barrierStages.length : tasks.executors.size) > 0 ? true : undefined;
    },
    20 * MINUTE,
    // The events of a step are megabytes, and all of them are read.
    2_000,
  );
}

function kill(containers: readonly Container[]): void {
  expect(containers).not.toEqual([]);
  for (const { pid } of containers) process.kill(pid, 'SIGKILL');
}

/** Containers of the running application on all nodes. */
function containersOf(rehearsal: Rehearsal): readonly Container[] {
  const { nodeAddresses = [], containerLogs } = rehearsal.clusters.at(-1)?.yarn ?? {};
  return nodeAddresses.flatMap((address) => containersBelow(containerLogs?.(address) ?? ''));
}

async function killExecutor(rehearsal: Rehearsal, state: StateName, isBarrier: boolean): Promise<void> {
  await stepWithTasks(rehearsal, state, isBarrier);
  kill(
    containersOf(rehearsal)
      .filter((each) => !isApplicationMaster(each))
      .slice(0, 1),
  );
}

async function object(rehearsal: Rehearsal, key: string): Promise<string> {
  const [, , Bucket = ''] = rehearsal.lakeRoot.split('/');
  const { Body } = await rehearsal.s3.send(new GetObjectCommand({ Bucket, Key: key }));
  return (await Body?.transformToString()) ?? '';
}

/** A run that did not succeed is closed as close-run promises, and a resume succeeds. */
async function endsWell(
  rehearsal: Rehearsal,
  runId: string,
  ending: Ending,
  boostingWorkers = BOOSTING_WORKERS,
): Promise<void> {
  if (ending.status !== 'SUCCEEDED') {
    const record = runRecordSchema.parse(JSON.parse(await object(rehearsal, RUN_RECORD.of(runId).key)));
    expect(record).toMatchObject({ run_id: runId, status: 'FAILED', error: expect.stringMatching(/./) });
    expect(JSON.parse(await object(rehearsal, LEASE.key))).toMatchObject({ holder: null });
    await clustersTerminated(rehearsal);
    const resumed = await rehearsal.run(`${runId}-resumed`, { resume: runId });
    expect(resumed).toMatchObject({ status: 'SUCCEEDED' });
  }
  await sameTables(rehearsal, ending.status === 'SUCCEEDED', boostingWorkers);
}

/** @param isOnlyRun otherwise `runs` has the record of a run that failed, which the local lake does not have */
async function sameTables(
  { account, eventsRoot, database }: Rehearsal,
  isOnlyRun: boolean,
  boostingWorkers = BOOSTING_WORKERS,
): Promise<void> {
  const lakes = { folder: await localLake(boostingWorkers), log, account, eventsRoot, database };
  for (const { table, onlyInCloud, onlyLocal } of await compareLakes(lakes)) {
    if (table === 'runs' && !isOnlyRun) continue;
    expect({ table, onlyInCloud, onlyLocal }).toEqual({ table, onlyInCloud: [], onlyLocal: [] });
  }
}

/** A start is refused as long as a cluster of an earlier run is terminating. */
async function clustersTerminated({ emr }: Rehearsal): Promise<void> {
  const isTerminated = async (ClusterId: string): Promise<boolean> =>
    JSON.stringify(await emr.service('DescribeCluster', { ClusterId })).includes('"State":"TERMINATED');
  await awaited(
    'all clusters are terminated',
    async () => ((await Promise.all(emr.clusterIds().map(isTerminated))).every(Boolean) ? true : undefined),
    MINUTE,
  );
}

/** What EventBridge passes on of an execution that was stopped. */
function endedEvent({ deployment }: Rehearsal, runId: string) {
  const executionArn = `${deployment.definition.arn.replace(':stateMachine:', ':execution:')}:${runId}`;
  return {
    'detail-type': 'Step Functions Execution Status Change',
    detail: { executionArn, name: runId, status: 'ABORTED', startDate: Date.now(), error: null, cause: null },
  };
}

describe('a run survives', () => {
  test(
    'executors that are killed while it ingests and while it boosts',
    async () => {
      await inAccount('executors', async (rehearsal) => {
        const faults = inStates({
          IngestEvents: () => killExecutor(rehearsal, 'IngestEvents', false),
          TrainModels: () => killExecutor(rehearsal, 'TrainModels', true),
        });
        const ending = await rehearsal.run('executors', {}, faults.onEvent);
        await faults.happened();
        await endsWell(rehearsal, 'executors', ending);
      });
    },
    60 * MINUTE,
  );

  test(
    'the application master that is killed, and a node that is lost',
    async () => {
      await inAccount(
        'nodes',
        async (rehearsal) => {
          const faults = inStates({
            IngestEvents: async () => {
              await stepWithTasks(rehearsal, 'IngestEvents');
              kill(containersOf(rehearsal).filter(isApplicationMaster));
            },
            TrainModels: async () => {
              await stepWithTasks(rehearsal, 'TrainModels', true);
              const { yarn } = rehearsal.clusters.at(-1) ?? {};
              const lost = yarn?.nodeAddresses.find((address) => address !== yarn.coreAddress) ?? '';
              yarn?.lose(lost);
            },
          });
          const ending = await rehearsal.run('nodes', {}, faults.onEvent);
          await faults.happened();
          await endsWell(rehearsal, 'nodes', ending, WORKERS_ON_CORE_NODES);
        },
        WORKERS_ON_CORE_NODES,
      );
    },
    60 * MINUTE,
  );
});

test(
  'a start is refused while the cluster of a stopped run is still terminating, and then succeeds',
  async () => {
    await inAccount(
      'starts',
      async (rehearsal) => {
        const release = rehearsal.emr.holdTerminations();
        const stop = new AbortController();
        const stopped = await rehearsal.run(
          'stopped',
          {},
          ({ kind, state }) => {
            if (kind === 'entered' && state === 'IngestEvents') stop.abort();
          },
          stop.signal,
        );
        expect(stopped.status).toBe('ABORTED');
        const [clusterId = ''] = rehearsal.emr.clusterIds();
        // The rule on executions that have ended, which is not emulated: the run is closed, and holds no lease any more.
        await rehearsal.call('close-run', endedEvent(rehearsal, 'stopped'));
        const record = runRecordSchema.parse(
          JSON.parse(await object(rehearsal, RUN_RECORD.of('stopped').key)),
        );
        expect(record.status).toBe('FAILED');
        expect(JSON.parse(await object(rehearsal, LEASE.key))).toMatchObject({ holder: null });

        const refused = await rehearsal.run('too-early', {});
        expect(refused).toMatchObject({
          status: 'FAILED',
          error: 'Refused',
          cause: expect.stringContaining(clusterId),
        });

        release();
        await clustersTerminated(rehearsal);
        expect(await rehearsal.run('in-time', {})).toMatchObject({ status: 'SUCCEEDED' });
        await rehearsal.call('close-run', { sweep: true });
        await sameTables(rehearsal, false, WORKERS_ON_CORE_NODES);
      },
      WORKERS_ON_CORE_NODES,
    );
  },
  60 * MINUTE,
);
