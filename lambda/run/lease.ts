/**
 * The lease: one object that names the execution which may write to the lake. It is changed by conditional writes only,
 * so that exactly one of any number of starts gets it. Releasing it writes that nobody holds it: a removal could hit a
 * lease that another run has taken over in the meantime.
 */
import { LEASE } from '../../domain/lake-objects.ts';
import type { LeaseHolder } from '../../domain/lease.ts';
import { PipelineError } from './errors.ts';
import { hasEnded } from './executions.ts';
import type { Lake } from './lake.ts';
import type { World } from './world.ts';

const ATTEMPTS = 6;
const WAIT_MILLISECONDS = 100;

export type LeaseAnswer = { readonly kind: 'taken' } | { readonly kind: 'refused'; readonly reason: string };

type LeaseWorld = Pick<World, 'lake' | 'clock' | 'executions' | 'clusters'>;

/** The run that wants the lease. */
export interface Claimant {
  readonly runId: string;
  readonly executionArn: string;
}

/** Takes the lease, or says which live run holds it. It is a success if the claimant holds it already: a retry. */
export async function takeLease(world: LeaseWorld, { runId, executionArn }: Claimant): Promise<LeaseAnswer> {
  const { lake, clock } = world;
  let reason = 'other runs are starting at the same moment: start again in a minute';
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const stored = await lake.find(LEASE);
    const holder = stored?.value.holder ?? null;
    if (holder?.executionArn === executionArn) return { kind: 'taken' };
    const alive = await whyAlive(world, holder);
    if (alive !== undefined) return { kind: 'refused', reason: alive };
    if (holder !== null) {
      reason = `run ${holder.runId} held the lease and has ended; other runs are taking it over at the same moment`;
    }
    const outcome = await lake.replace(LEASE, stored, {
      holder: { runId, executionArn, takenAt: clock.now().toISOString() },
      released: null,
    });
    if (outcome === 'written') return { kind: 'taken' };
    await clock.wait(attempt * WAIT_MILLISECONDS);
  }
  return { kind: 'refused', reason };
}

/** Releases the lease if this execution holds it; the lease of any other is left alone. */
export async function releaseLease(
  { lake, clock }: Pick<World, 'lake' | 'clock'>,
  executionArn: string,
): Promise<'released' | 'not held'> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const stored = await lake.find(LEASE);
    if (stored?.value.holder?.executionArn !== executionArn) return 'not held';
    const outcome = await lake.replace(LEASE, stored, {
      holder: null,
      released: { executionArn, at: clock.now().toISOString() },
    });
    if (outcome === 'written') return 'released';
    await clock.wait(attempt * WAIT_MILLISECONDS);
  }
  throw new Error(
    `The lease of ${executionArn} could not be released: its object changed ${ATTEMPTS} times in a row`,
  );
}

/** @throws LeaseLost unless this execution holds the lease */
export async function requireLease(lake: Lake, { runId, executionArn }: Claimant): Promise<void> {
  const holder = await leaseHolder(lake);
  if (holder?.executionArn === executionArn) return;
  const who = holder === undefined ? 'nobody' : `run ${holder.runId}`;
  throw new PipelineError(
    'LeaseLost',
    `Run ${runId} no longer holds the lease: ${who} does. Resume the run.`,
  );
}

/** The run that holds the lease; undefined when it is free. */
export async function leaseHolder(lake: Lake): Promise<LeaseHolder | undefined> {
  return (await lake.find(LEASE))?.value.holder ?? undefined;
}

/**
 * Why the lease cannot be taken; undefined when nothing of an earlier run is alive. A run that was closed holds no lease
 * any more, but until its cluster has terminated, which takes minutes, a step of it may still write to the lake.
 */
async function whyAlive(
  { clusters, ...world }: LeaseWorld,
  holder: LeaseHolder | null,
): Promise<string | undefined> {
  if (holder !== null && !(await hasEnded(world, holder.executionArn, new Date(holder.takenAt)))) {
    return `run ${holder.runId} lives (${holder.executionArn}, since ${holder.takenAt}): wait for it or stop it`;
  }
  const living = await clusters.living();
  const [first] = living;
  if (first === undefined) return undefined;
  const runId = living.some((cluster) => cluster.runId === holder?.runId) ? holder?.runId : first.runId;
  const own = living.filter((cluster) => cluster.runId === runId);
  const ids = own.map(({ clusterId }) => clusterId).join(', ');
  const end = own.every(({ isTerminating }) => isTerminating)
    ? 'it is terminating, which takes some minutes; then start again'
    : 'it is terminated within 15 minutes; then start again';
  return `run ${runId} has ended, but its cluster ${ids} still lives: ${end}`;
}
