/** Runs one spark-submit to completion in its own process group. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { sparkHome } from '../../setup/environment.mjs';
import { endGroup, spawnGroup } from '../processes/group.ts';
import { identify, type ProcessIdentity } from '../processes/identity.ts';
import { sparkEnvironment } from './configuration.ts';
import { ProgressSplitter, type SparkProgress } from './progress.ts';

export interface Submission {
  /** Arguments after `spark-submit`. */
  readonly args: readonly string[];
  readonly configurationFolder: string;
  readonly workingFolder: string;
  /** Receives everything that the step prints; the processor time it took is written to `<name>.times` beside it. */
  readonly logFile: string;
  readonly signal: AbortSignal;
  readonly onStart: (leader: ProcessIdentity) => Promise<void>;
  readonly onProgress: (progress: SparkProgress) => void;
}

/** Returns the step's exit code, or undefined if the signal stopped it. None of its processes is left. */
export async function sparkSubmit(submission: Submission): Promise<number | undefined> {
  const { signal, workingFolder } = submission;
  if (signal.aborted) return undefined;
  await mkdir(dirname(submission.logFile), { recursive: true });
  const log = createWriteStream(submission.logFile, { flags: 'a' });
  const child = spawnGroup([join(sparkHome, 'bin', 'spark-submit'), ...submission.args], {
    environment: sparkEnvironment(submission.configurationFolder),
    folder: workingFolder,
    usageFile: submission.logFile.replace(/\.log$/, '.times'),
  });
  const splitter = new ProgressSplitter(submission.onProgress, (line) => log.write(`${line}\n`));
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
    if (leader !== undefined) await submission.onStart(leader);
    const [code] = await closed;
    await (stopping ?? stop());
    return signal.aborted ? undefined : typeof code === 'number' ? code : 1;
  } finally {
    signal.removeEventListener('abort', onAbort);
    splitter.end();
    log.end();
    await finished(log);
  }
}
