/** `churn models --verify <run>`: whether the model that a run stored is what its training makes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RUN_DETAIL } from '../../../domain/lake-objects.ts';
import { hasTrained } from '../../../domain/records.ts';
import { bytesOfRows, sizeOnEmr } from '../../../domain/sizing.ts';
import { UserError } from '../../../domain/user-error.ts';
import type { Lake } from '../../../lambda/run/lake.ts';
import { openExistingLake } from '../../../local/run/lake-folder.ts';
import { verifyModel } from '../../../local/run/verify-model.ts';
import { namesPipeline } from '../deployed/options.ts';
import { onInterrupt } from '../interrupt.ts';
import { type LakeOptions, openWorld } from './open-world.ts';
import { verificationText } from './verify-text.ts';

/** Trains again and compares; the exit code is 1 where something differs. */
export async function verify(
  runId: string,
  options: LakeOptions & { readonly json: boolean },
): Promise<void> {
  if (namesPipeline(options)) {
    const { lake } = await openWorld(options);
    throw new UserError(await deployedRefusal(lake, runId));
  }
  const lake = await openExistingLake(options.lake);
  const interrupt = onInterrupt();
  const scratch = await mkdtemp(join(tmpdir(), 'churn-verify-'));
  interrupt.onSecond(() => rm(scratch, { recursive: true, force: true }));
  try {
    const found = await verifyModel(lake, runId, { scratch, signal: interrupt.signal });
    process.stdout.write(options.json ? `${JSON.stringify(found, undefined, 2)}\n` : verificationText(found));
    process.exitCode = found.differences.length === 0 ? 0 : 1;
  } finally {
    interrupt.release();
    await rm(scratch, { recursive: true, force: true });
  }
}

/**
 * Why a model of a deployment is not trained again, what it would cost, and what to do: docs/decisions/verify-a-model.md.
 * @throws UserError when there is no such run, or it has not trained
 */
export async function deployedRefusal(lake: Lake, runId: string): Promise<string> {
  const detail = await lake.glimpse(RUN_DETAIL.of(runId));
  if (detail === undefined) {
    throw new UserError(
      `The lake ${lake.root} has no run ${runId} that succeeded and that this version can read: \`churn models\` lists its runs.`,
    );
  }
  if (!hasTrained(detail)) {
    throw new UserError(
      `Run ${runId} has trained no model: name a run that has (\`churn models\` lists the runs).`,
    );
  }
  const { plan, ingest, features } = detail;
  const [, , , region = ''] = plan.executionArn.split(':');
  const rows = ingest.lake?.events ?? ingest.counts.accepted;
  const { cluster } = sizeOnEmr({ newBytes: 0, historyBytes: bytesOfRows(rows) }, region);
  return (
    `Training the model of run ${runId} again would take a cluster of ${cluster.executors + 1} instances for up to ` +
    `${cluster.estimatedMinutes} minutes, up to ${cluster.estimatedUsd.toFixed(2)} USD, and this command starts none: start a run that ` +
    `trains on the same days (\`churn start --force --observation-end ${features.observationEnd} --seed ${plan.training.seed}\`) ` +
    'and compare the figures of both in `churn models`; they agree as long as no file of those days has changed.'
  );
}
