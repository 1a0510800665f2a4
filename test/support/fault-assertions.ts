/** What must be true after every run, however it ended. */
import { CURRENT, LEASE, PLAN, REFUSED, RUN_RECORD } from '../../domain/lake-objects.ts';
import { type RunRecord, runRecordSchema } from '../../domain/records.ts';
import type { Ending } from '../../local/interpreter/interpreter.ts';
import { LIVING_RUN } from './fault-settings.ts';
import type { FaultWorld } from './fault-world.ts';
import { arnOf } from './memory-ports.ts';
import { at } from './run-fixture.ts';

/** A cluster that is `TERMINATING` has been asked to terminate and does no more work. */
const ENDED: readonly string[] = ['TERMINATING', 'TERMINATED', 'TERMINATED_WITH_ERRORS'];
/** Matches an explanation: where, why, and what to do. */
const EXPLANATION = /^\S[^:]*: \S[\s\S]*\nWhat to do: \S/;

/** Record of a run; undefined if it has none. */
export function recordOf({ ports }: FaultWorld, runId: string): RunRecord | undefined {
  const text = ports.objects.text(at(RUN_RECORD.of(runId).key));
  return text === undefined ? undefined : runRecordSchema.parse(JSON.parse(text));
}

/** Id of the run that holds the lease. */
export function leaseHolderOf({ ports }: FaultWorld): string | undefined {
  const { holder } = JSON.parse(ports.objects.text(at(LEASE.key)) ?? '{"holder":null}');
  return holder === null ? undefined : String(holder.runId);
}

/** Clusters of a run that are neither terminated nor terminating. */
export function livingClusters({ ports }: FaultWorld, runId: string): number {
  return ports.clusters.all.filter((cluster) => cluster.runId === runId && !ENDED.includes(cluster.state))
    .length;
}

/** The run whose scores and model are current. */
export function currentRun({ ports }: FaultWorld): string | undefined {
  const text = ports.objects.text(at(CURRENT.key));
  return text === undefined ? undefined : String(JSON.parse(text).runId);
}

/** What is wrong after a run has ended and been closed; empty if the fault was survived. */
export function complaints(world: FaultWorld, runId: string, ending: Ending): readonly string[] {
  const { ports } = world;
  const record = recordOf(world, runId);
  const sent = ports.notifications.published.filter(({ text }) => text.includes(runId)).length;
  const wrong: string[] = [];
  const check = (holds: boolean, complaint: string): void => {
    if (!holds) wrong.push(complaint);
  };
  const expectRecord = (status: RunRecord['status'] | undefined): void =>
    check(record?.status === status, `its record says ${record?.status}, not ${status}`);
  const expectNotifications = (times: number): void =>
    check(sent === times, `${sent} notifications were sent, not ${times}`);

  check(livingClusters(world, runId) === 0, 'a cluster of the run is still alive');
  const aboutLiving = ports.notifications.published.filter(({ text }) =>
    text.startsWith(`Run ${LIVING_RUN}`),
  );
  check(aboutLiving.length === 0, 'a notification says that the living run has ended');
  const anotherLives = ports.executions.all.has(arnOf(LIVING_RUN));
  const holder = leaseHolderOf(world);
  check(holder === (anotherLives ? LIVING_RUN : undefined), `the lease is held by ${holder ?? 'no run'}`);
  check(livingClusters(world, LIVING_RUN) === (anotherLives ? 1 : 0), 'the living run lost its cluster');
  check(recordOf(world, LIVING_RUN) === undefined, 'the living run was recorded as ended');

  const plan = ports.objects.text(at(PLAN.of(runId).key));
  // A run that verifies a model leaves nothing that another would read.
  const records = plan !== undefined && JSON.parse(plan).verifies === undefined;
  const refused = ports.objects.text(at(REFUSED.of(runId).key)) !== undefined;
  if (ending.status === 'SUCCEEDED') {
    expectRecord(records ? 'SUCCEEDED' : undefined);
    expectNotifications(records ? 1 : 0);
  } else if (refused && record === undefined) {
    expectNotifications(0);
  } else {
    if (record?.status !== 'SUCCEEDED') expectRecord('FAILED');
    expectNotifications(1);
  }
  check(
    (record?.status === 'SUCCEEDED') === (currentRun(world) === runId),
    'the record and the current run disagree',
  );
  if (record?.status === 'FAILED') {
    check(EXPLANATION.test(record.error ?? ''), `its record has no proper explanation: ${record.error}`);
  }
  return wrong;
}
