/**
 * A whole run as it would be deployed: the state machine, the bundled Lambdas with the AWS SDK, the four steps on YARN
 * over S3 and Glue, the reconciliation over Glue's tables, and the notifier. It must end as a local run on the same log
 * does, and call nothing that the policies do not allow.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HOMOGENEITY, OUTCOMES, SEGMENTS } from '../../domain/lake.ts';
import { CAMPAIGN, CAMPAIGN_TAG, RUN_DETAIL, RUN_RECORD, STEP_RESULT } from '../../domain/lake-objects.ts';
import { runDetailSchema, runRecordSchema } from '../../domain/records.ts';
import { trainingResultSchema } from '../../domain/results.ts';
import { STEP_NAMES } from '../../domain/run.ts';
import { STEP_STATES, TASK_STATES } from '../../domain/states.ts';
import { type GenerateSummary, generateLog } from '../../generator/generate.ts';
import type { Ending, StateEvent } from '../../local/interpreter/interpreter.ts';
import type { RunSummary } from '../../local/run/run-summary.ts';
import { compareLakes } from './compare-lakes.ts';
import { durationsText } from './durations.ts';
import { type RehearsalFolder, rehearsalFolder } from './folder.ts';
import { operationOf } from './judge/call.ts';
import { compareUnneeded, judge } from './judge/judge.ts';
import { UNNEEDED_STATEMENTS } from './judge/unneeded-statements.ts';
import { runOnThisMachine } from './local-run.ts';
import { BOOSTING_WORKERS, EXECUTORS } from './overrides.ts';
import { type Rehearsal, startRehearsal, upload } from './rehearsal.ts';
import { comparableResult } from './results.ts';
import { applicationTasks } from './spark-events.ts';

const MINUTE = 60_000;
const RUN_ID = 'rehearsal';
/** Every defect, and the smallest log from which boosted trees learn: their leaves need many rows, and many labels. */
const LOG = { users: 120, days: 100, seed: 1, dirty: true } as const;
/** The log has more refused rows than a deployment would accept; and within four weeks twice as many users cancel. */
const REQUEST = { maxQuarantineShare: 1, horizonDays: 28 } as const;

/** What came true is not known in a first run, and so few users form no segments and are no log to take samples of. */
const WITHOUT_ROWS: readonly string[] = [OUTCOMES.name, SEGMENTS.name, HOMOGENEITY.name];

let root: RehearsalFolder | undefined;
let folder: string;
let log: string;
let generated: GenerateSummary;
let local: RunSummary;
let rehearsal: Rehearsal;
let ending: Ending;
const events: StateEvent[] = [];

beforeAll(async () => {
  root = await rehearsalFolder('run');
  folder = root.path;
  log = join(folder, 'log');
  generated = await generateLog({ ...LOG, outputFolder: log });
  rehearsal = await startRehearsal(folder);
  await upload(rehearsal.s3, log, rehearsal.eventsRoot);
  ending = await rehearsal.run(RUN_ID, REQUEST, (event) => events.push(event));
  process.stdout.write(`\n${durationsText(events)}`);
  // What runs every quarter of an hour beside the runs.
  await rehearsal.call('close-run', { sweep: true });
  // Afterwards, so that what it leaves in memory is not added to what the cluster needs.
  local = await runOnThisMachine(join(folder, 'lake'), log, REQUEST);
}, 60 * MINUTE);

afterAll(async () => {
  await rehearsal?.stop();
  await root?.remove();
});

function bucketOf(uri: string): string {
  return uri.split('/')[2] ?? '';
}

async function object(key: string): Promise<string> {
  const { Body } = await rehearsal.s3.send(
    new GetObjectCommand({ Bucket: bucketOf(rehearsal.lakeRoot), Key: key }),
  );
  return (await Body?.transformToString()) ?? '';
}

/** The keys of all objects in the lake. */
async function keys(): Promise<readonly string[]> {
  const found: string[] = [];
  const pages = paginateListObjectsV2({ client: rehearsal.s3 }, { Bucket: bucketOf(rehearsal.lakeRoot) });
  for await (const { Contents = [] } of pages) found.push(...Contents.map(({ Key = '' }) => Key));
  return found;
}

describe('a run of the deployed state machine', () => {
  test('succeeds, state after state', () => {
    expect(ending).toMatchObject({ status: 'SUCCEEDED' });
    const exited = events.filter(({ kind, stateType }) => kind === 'exited' && stateType === 'Task');
    expect(exited.map(({ state }) => state)).toEqual(TASK_STATES.filter((state) => state !== 'CloseRun'));
    expect(events.filter(({ kind }) => kind === 'failed')).toEqual([]);
  });

  test('counts every row of a dirty log by its outcome', async () => {
    const detail = runDetailSchema.parse(JSON.parse(await object(RUN_DETAIL.of(RUN_ID).key)));
    expect(detail.ingest.counts).toMatchObject({
      read: generated.dirt?.rows,
      accepted: generated.events,
      quarantined: generated.dirt?.refusedRows,
      duplicates: generated.dirt?.duplicates,
    });
    expect(detail.features).toMatchObject({
      users: generated.users,
      cancellations: generated.cancellations,
    });
    const record = runRecordSchema.parse(JSON.parse(await object(RUN_RECORD.of(RUN_ID).key)));
    expect(record).toMatchObject({ run_id: RUN_ID, status: 'SUCCEEDED' });
  });

  test('leaves the same tables as a local run, row for row', async () => {
    const { account, eventsRoot, database } = rehearsal;
    const comparisons = await compareLakes({
      folder: join(folder, 'lake'),
      log,
      account,
      eventsRoot,
      database,
    });
    for (const { table, rows, onlyInCloud, onlyLocal } of comparisons) {
      expect({ table, onlyInCloud, onlyLocal }).toEqual({ table, onlyInCloud: [], onlyLocal: [] });
      if (WITHOUT_ROWS.includes(table)) expect(rows, table).toBe(0);
      else expect(rows, table).toBeGreaterThan(0);
    }
  });

  test('has the same results as a local run, but for times and ids', async () => {
    const roots = [
      rehearsal.lakeRoot,
      rehearsal.eventsRoot,
      `file://${join(folder, 'lake')}`,
      `file://${log}`,
    ];
    for (const step of STEP_NAMES) {
      const here = await readFile(join(folder, 'lake', STEP_RESULT[step].of(local.runId).key), 'utf8');
      const there = await object(STEP_RESULT[step].of(RUN_ID).key);
      expect(comparableResult(there, [...roots, RUN_ID]), step).toEqual(
        comparableResult(here, [...roots, local.runId]),
      );
    }
  });

  test('writes the list of users that a local run writes, tagged so that it expires', async () => {
    const linesOf = (text: string, runId: string): string[] =>
      text.replaceAll(runId, '').trim().split('\n').sort();
    const list = await object(CAMPAIGN.of(RUN_ID).key);
    const localList = await readFile(join(folder, 'lake', CAMPAIGN.of(local.runId).key), 'utf8');
    expect(linesOf(list, RUN_ID)).toEqual(linesOf(localList, local.runId));
    // Its heading, and users.
    expect(linesOf(list, RUN_ID).length).toBeGreaterThan(2);
    const { TagSet } = await rehearsal.s3.send(
      new GetObjectTaggingCommand({ Bucket: bucketOf(rehearsal.lakeRoot), Key: CAMPAIGN.of(RUN_ID).key }),
    );
    expect(TagSet).toEqual([{ Key: CAMPAIGN_TAG.key, Value: CAMPAIGN_TAG.value }]);
  });

  test('learns with boosted trees, better than chance', async () => {
    const training = trainingResultSchema.parse(
      JSON.parse(await object(STEP_RESULT['train-models'].of(RUN_ID).key)),
    );
    const boosted = training.evaluations.find(({ model }) => model === 'boosted_trees');
    expect(boosted?.metrics.auc?.value).toBeGreaterThan(0.5);
  });

  test('uses two executors on two nodes, and both of them for boosting', async () => {
    const [cluster] = rehearsal.clusters;
    for (const state of STEP_STATES) {
      const { executors, barrierStages } = await applicationTasks(
        join(cluster?.stepFolder(state) ?? '', 'events'),
      );
      expect([...executors.values()].sort(), state).toEqual([...(cluster?.yarn.nodeAddresses ?? [])].sort());
      expect(executors.size).toBe(EXECUTORS);
      if (state !== 'TrainModels') continue;
      expect(barrierStages).not.toEqual([]);
      for (const stage of barrierStages) expect(new Set(stage).size).toBe(BOOSTING_WORKERS);
    }
  });

  test('keeps application masters on the core node', async () => {
    const [cluster] = rehearsal.clusters;
    const { coreAddress = '', nodeAddresses = [], containerLogs } = cluster?.yarn ?? {};
    for (const address of nodeAddresses) {
      const containers = await readdir(containerLogs?.(address) ?? '', { recursive: true });
      // YARN numbers the containers of an application; the first is its master.
      const masters = containers.filter((name) => /container_\d+_\d+_\d+_000001$/.test(name));
      expect(masters.length, address).toBe(address === coreAddress ? STEP_STATES.length : 0);
    }
  });

  test('encrypts every object with the customer key', async () => {
    for (const key of await keys()) {
      const head = await rehearsal.s3.send(
        new HeadObjectCommand({ Bucket: bucketOf(rehearsal.lakeRoot), Key: key }),
      );
      expect(head.ServerSideEncryption, key).toBe('aws:kms');
      expect(head.SSEKMSKeyId, key).toBe(rehearsal.deployment.topicKeyArn);
    }
    const written = rehearsal.gateway.calls.filter(
      ({ service, method, path }) => service === 's3' && method === 'PUT' && path.includes('/warehouse/'),
    );
    expect(written.length).toBeGreaterThan(0);
    for (const { headers, path } of written) {
      expect(headers['x-amz-server-side-encryption'], path).toBe('aws:kms');
    }
  });

  test('notifies the subscribers once', () => {
    const published = rehearsal.gateway.calls.filter((call) => operationOf(call) === 'Publish');
    expect(published.map(({ status }) => status)).toEqual([200]);
    expect(new URLSearchParams(published[0]?.body).get('Subject')).toBe('Churn model: run succeeded');
  });
});

describe('the calls to AWS', () => {
  test('are all allowed by the policy of the role that makes them', () => {
    const { gateway, deployment, world } = rehearsal;
    const verdict = judge(gateway.calls, deployment.policies, world);
    expect(verdict.denials).toEqual([]);
    expect(verdict.calls).toBeGreaterThan(500);
  });

  test('need every statement, but for those that are listed with a reason', () => {
    const { gateway, deployment, world } = rehearsal;
    const verdict = judge(gateway.calls, deployment.policies, world);
    expect(compareUnneeded(verdict, deployment.policies, UNNEEDED_STATEMENTS)).toEqual({
      withoutReason: [],
      outdated: [],
    });
  });

  test('are found out when a statement is missing', () => {
    const { gateway, deployment, world } = rehearsal;
    const { needed } = judge(gateway.calls, deployment.policies, world);
    for (const [role, statements] of needed) {
      const without = new Map(deployment.policies).set(
        role,
        (deployment.policies.get(role) ?? []).filter((statement) => !statements.has(statement)),
      );
      const { denials } = judge(gateway.calls, without, world);
      expect(denials.length, role).toBeGreaterThan(0);
      expect(denials.every((text) => text.startsWith(role))).toBe(true);
    }
  });
});
