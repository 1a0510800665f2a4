/** `churn models --verify <run>`: whether the model that a run stored is what its training makes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openExistingLake } from '../../../local/run/lake-folder.ts';
import { type Verification, verifyModel } from '../../../local/run/verify-model.ts';
import { ProgressLine } from '../../terminal/pace.ts';
import { UsageError } from '../arguments.ts';
import { namesPipeline } from '../deployed/options.ts';
import { onInterrupt } from '../interrupt.ts';
import type { LakeOptions } from './open-world.ts';
import { type VerifyOptions, verifyDeployed } from './verify-deployed.ts';
import { verificationText } from './verify-text.ts';

/** Trains again and compares; the exit code is 1 where something differs. */
export async function verify(
  runId: string,
  options: LakeOptions & VerifyOptions & { readonly json: boolean },
): Promise<void> {
  if (namesPipeline(options)) {
    const found = await verifyDeployed(runId, options);
    if (found === undefined) process.exitCode = 1;
    else show(found, options.json);
    return;
  }
  if (options.trainedAgain !== undefined) {
    throw new UsageError(
      '--trained-again names a run of a deployment: name the deployment, too (--stage), or leave it out.',
    );
  }
  const lake = await openExistingLake(options.lake);
  const interrupt = onInterrupt();
  const scratch = await mkdtemp(join(tmpdir(), 'churn-verify-'));
  interrupt.onSecond(() => rm(scratch, { recursive: true, force: true }));
  try {
    const found = await new ProgressLine(process.stderr).during('Training again', () =>
      verifyModel(lake, runId, { scratch, signal: interrupt.signal }),
    );
    show(found, options.json);
  } finally {
    interrupt.release();
    await rm(scratch, { recursive: true, force: true });
  }
}

function show(found: Verification, json: boolean): void {
  process.stdout.write(json ? `${JSON.stringify(found, undefined, 2)}\n` : verificationText(found));
  process.exitCode = found.differences.length === 0 ? 0 : 1;
}
