/** Runs one spark-submit to completion in its own process group. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { sparkHome } from '../../setup/environment.mjs';
import { endGroup, spawnGroup } from '../processes/group.ts';
import { identify } from '../processes/identity.ts';
import { sparkEnvironment } from './configuration.ts';
import { ProgressSplitter } from './progress.ts';
import type { StepRunner } from './step-runner.ts';

/** Runs a step in a process of its own, of which nothing is left at the end. */
export const sparkSubmit: StepRunner = async (step) => {
  const { signal, workingFolder } = step;
  if (signal.aborted) return undefined;
  await mkdir(dirname(step.logFile), { recursive: true });
  const log = createWriteStream(step.logFile, { flags: 'a' });
  const command = [join(sparkHome, 'bin', 'spark-submit'), '--driver-java-options', step.javaOptions];
  const child = spawnGroup([...command, step.script, ...step.arguments], {
    environment: sparkEnvironment(step.configurationFolder),
    folder: workingFolder,
    usageFile: step.logFile.replace(/\.log$/, '.times'),
  });
  const splitter = new ProgressSplitter(step.onProgress, (line) => log.write(`${line}\n`));
  child.stdout?.on('data', (chunk: Buffer) => log.write(chunk));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => splitter.push(text));
  const closed = once(child, 'close');
  const leader = child.pid === undefined ? undefined : identify(child.pid);
  const stop = async (): Promise<void> => {
    if (leader !== undefined) await endGroup(leader);
  };
  let stopping: Promise<void> | undefined;
  const onAbort = (): void => {
    stopping = stop();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (leader !== undefined) await step.onStart(leader);
    const [code] = await closed;
    await (stopping ?? stop());
    return signal.aborted ? undefined : typeof code === 'number' ? code : 1;
  } finally {
    signal.removeEventListener('abort', onAbort);
    splitter.end();
    log.end();
    await finished(log);
  }
};
