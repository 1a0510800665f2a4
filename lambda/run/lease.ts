/**
 * The lease: one object that names the execution which may write to the lake. Only conditional writes touch it,
 * so of any number of starts exactly one gets it. It is given back by writing that nobody holds it: a removal
 * could hit a lease that another run has taken over in the meantime.
 */
import { z } from 'zod';
import { KEYS } from '../../domain/lake.ts';
import type { Ports } from '../ports/ports.ts';
import type { FunctionContext } from './context.ts';
import { isOver } from './executions.ts';
import { findJson, jsonText, lakeUri, type Stored } from './json-objects.ts';

const holderSchema = z.strictObject({
  runId: z.string(),
  executionArn: z.string(),
  takenAt: z.iso.datetime(),
});
export type LeaseHolder = z.infer<typeof holderSchema>;

const leaseSchema = z.strictObject({
  holder: holderSchema.nullable(),
  /** Who gave it back last, and when: no two contents of the object are ever the same. */
  released: z.strictObject({ executionArn: z.string(), at: z.iso.datetime() }).nullable(),
});
type Lease = z.infer<typeof leaseSchema>;

const ATTEMPTS = 6;
const WAIT_MILLISECONDS = 100;

export type LeaseAnswer = { readonly kind: 'taken' } | { readonly kind: 'refused'; readonly reason: string };

/** Whoever wants the lease. */
export interface Claimant {
  readonly runId: string;
  readonly executionArn: string;
}

/** Takes the lease, or says who lives and keeps it. Finding it in one's own hand is success: a retry. */
export async function takeLease(
  ports: Ports,
  context: FunctionContext,
  claimant: Claimant,
): Promise<LeaseAnswer> {
  let reason = 'other runs start at the same moment: start again in a minute';
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const stored = await readLease(ports, context);
    const holder = stored?.value.holder ?? null;
    if (holder?.executionArn === claimant.executionArn) return { kind: 'taken' };
    if (holder !== null) {
      const alive = await whyAlive(ports, holder);
      if (alive !== undefined) return { kind: 'refused', reason: alive };
      reason = `run ${holder.runId} held the lease and has ended; other runs take it over at the same moment`;
    }
    const outcome = await writeLease(ports, context, stored, {
      holder: {
        runId: claimant.runId,
        executionArn: claimant.executionArn,
        takenAt: ports.clock.now().toISOString(),
      },
      released: null,
    });
    if (outcome === 'written') return { kind: 'taken' };
    await ports.clock.wait(attempt * WAIT_MILLISECONDS);
  }
  return { kind: 'refused', reason };
}

/** Gives the lease back if this execution holds it; anybody else's is left alone. */
export async function releaseLease(
  ports: Ports,
  context: FunctionContext,
  executionArn: string,
): Promise<'released' | 'not held'> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const stored = await readLease(ports, context);
    if (stored?.value.holder?.executionArn !== executionArn) return 'not held';
    const outcome = await writeLease(ports, context, stored, {
      holder: null,
      released: { executionArn, at: ports.clock.now().toISOString() },
    });
    if (outcome === 'written') return 'released';
    await ports.clock.wait(attempt * WAIT_MILLISECONDS);
  }
  throw new Error(
    `The lease of ${executionArn} could not be given back: its object changed ${ATTEMPTS} times in a row`,
  );
}

/** Who holds the lease; undefined when it is free. */
export async function leaseHolder(ports: Ports, context: FunctionContext): Promise<LeaseHolder | undefined> {
  return (await readLease(ports, context))?.value.holder ?? undefined;
}

async function readLease(ports: Ports, context: FunctionContext): Promise<Stored<Lease> | undefined> {
  return findJson(ports.objects, lakeUri(context.lakeRoot, KEYS.lease), leaseSchema);
}

async function writeLease(
  ports: Ports,
  context: FunctionContext,
  before: Stored<Lease> | undefined,
  lease: Lease,
): Promise<'written' | 'conflict'> {
  return ports.objects.write(lakeUri(context.lakeRoot, KEYS.lease), jsonText(lease), {
    condition: before === undefined ? { kind: 'absent' } : { kind: 'unchanged', etag: before.etag },
    contentType: 'application/json',
  });
}

/** Why the lease cannot be taken from its holder; undefined when nothing of that run lives. */
async function whyAlive(ports: Ports, holder: LeaseHolder): Promise<string | undefined> {
  if (!(await isOver(ports, holder.executionArn, new Date(holder.takenAt)))) {
    return `run ${holder.runId} lives (${holder.executionArn}, since ${holder.takenAt}): wait for it or stop it`;
  }
  const clusters = await ports.clusters.living(holder.runId);
  if (clusters.length === 0) return undefined;
  const ids = clusters.map((cluster) => cluster.clusterId).join(', ');
  return `run ${holder.runId} has ended, but its cluster ${ids} still lives: it is ended within 15 minutes`;
}
