/** One Spark application for all steps of a cluster: Spark starts once, and what Java has compiled for one step serves the next. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, mkdtemp, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { sparkHome } from '../../setup/environment.mjs';
import { endGroup, spawnGroup } from '../processes/group.ts';
import { identify, isAlive, type ProcessIdentity } from '../processes/identity.ts';
import { family } from '../processes/process-table.ts';
import { processorSeconds } from '../processes/processor-time.ts';
import { sparkEnvironment } from './configuration.ts';
import { OutputLines } from './output-lines.ts';
import { ProgressSplitter, readProgress } from './progress.ts';
import type { StepRun, StepRunner } from './step-runner.ts';

const PROGRAM = new URL('./engine.py', import.meta.url).pathname;

/** Steps run one after another; after a step that was stopped, or whose process died, the next starts a fresh application. */
export function sharedEngine(): StepRunner {
  let engine: Engine | undefined;
  return async (step) => {
    if (step.signal.aborted) return undefined;
    if (engine === undefined || !isAlive(engine.leader)) engine = await Engine.start(step);
    return engine.run(step);
  };
}

/** A step that is running: where its output goes, and what is known of its end. */
interface Current {
  readonly step: StepRun;
  readonly mark: string;
  readonly log: WriteStream;
  readonly onEnd: (exitCode: number) => void;
  hasEndedErrors: boolean;
  exitCode: number | undefined;
}

class Engine {
  readonly leader: ProcessIdentity;
  readonly #requests: string;
  /** Resolves to the exit code once the process is gone and all its output has arrived. */
  readonly #closed: Promise<number>;
  #requestCount = 0;
  #processorSeconds = 0;
  #current: Current | undefined;
  /** Lines that were printed while no step ran; they go to the log of the next. */
  #idleLines: string[] = [];

  private constructor(child: ReturnType<typeof spawnGroup>, leader: ProcessIdentity, requests: string) {
    this.leader = leader;
    this.#requests = requests;
    const output = new OutputLines((line) => this.#takeOutput(line));
    const errors = new ProgressSplitter(
      (progress) => this.#current?.step.onProgress(progress),
      (line) => this.#takeError(line),
    );
    child.stdout?.setEncoding('utf8').on('data', (text: string) => output.push(text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => errors.push(text));
    this.#closed = once(child, 'close').then(([code]) => {
      output.end();
      errors.end();
      return typeof code === 'number' ? code : 1;
    });
  }

  static async start(step: StepRun): Promise<Engine> {
    const requests = await mkdtemp(join(step.configurationFolder, 'requests-'));
    const command = [join(sparkHome, 'bin', 'spark-submit'), '--driver-java-options', step.javaOptions];
    const child = spawnGroup([...command, PROGRAM, requests], {
      environment: sparkEnvironment(step.configurationFolder),
      folder: step.workingFolder,
    });
    const leader = child.pid === undefined ? undefined : identify(child.pid);
    if (leader === undefined) throw new Error(`${command[0]} could not be started`);
    return new Engine(child, leader, requests);
  }

  async run(step: StepRun): Promise<number | undefined> {
    await mkdir(dirname(step.logFile), { recursive: true });
    const log = createWriteStream(step.logFile, { flags: 'a' });
    const ended = Promise.withResolvers<number>();
    const mark = `end of step ${randomUUID()}`;
    this.#current = { step, mark, log, onEnd: ended.resolve, hasEndedErrors: false, exitCode: undefined };
    for (const line of this.#idleLines.splice(0)) this.#write(line);
    let stopping: Promise<void> | undefined;
    const onAbort = (): void => {
      stopping = endGroup(this.leader);
    };
    step.signal.addEventListener('abort', onAbort, { once: true });
    try {
      await step.onStart(this.leader);
      await this.#request({ script: step.script, arguments: step.arguments, mark });
      const exitCode = await Promise.race([ended.promise, this.#closed]);
      await stopping;
      if (!isAlive(this.leader)) await endGroup(this.leader);
      await this.#writeTimes(step.logFile);
      return step.signal.aborted ? undefined : exitCode;
    } finally {
      step.signal.removeEventListener('abort', onAbort);
      this.#current = undefined;
      log.end();
      await finished(log);
    }
  }

  /** A request appears as a whole or not at all. */
  async #request(request: object): Promise<void> {
    this.#requestCount += 1;
    const file = join(this.#requests, `${this.#requestCount}.json`);
    await writeFile(`${file}.draft`, JSON.stringify(request));
    await rename(`${file}.draft`, file);
  }

  /** In the form of the shell's `times`; the start of the application counts with the first step. */
  async #writeTimes(logFile: string): Promise<void> {
    if (!isAlive(this.leader)) return;
    const total = processorSeconds(family(this.leader.pid));
    const seconds = Math.max(0, total - this.#processorSeconds).toFixed(3);
    this.#processorSeconds = total;
    await writeFile(logFile.replace(/\.log$/, '.times'), `0m0.000s 0m0.000s\n0m${seconds}s 0m0.000s\n`);
  }

  #takeOutput(line: string): void {
    const current = this.#current;
    const at = current === undefined ? -1 : line.lastIndexOf(current.mark);
    if (current === undefined || at === -1) {
      this.#write(line);
      return;
    }
    if (at > 0) this.#write(line.slice(0, at));
    current.exitCode = Number(line.slice(at + current.mark.length));
    this.#endIfComplete(current);
  }

  #takeError(line: string): void {
    const current = this.#current;
    if (current === undefined || !line.endsWith(current.mark)) {
      this.#write(line);
      return;
    }
    const before = line.slice(0, -current.mark.length);
    if (before.trim() !== '' && readProgress(before) === undefined) this.#write(before);
    current.hasEndedErrors = true;
    this.#endIfComplete(current);
  }

  #endIfComplete({ exitCode, hasEndedErrors, onEnd }: Current): void {
    if (exitCode !== undefined && hasEndedErrors) onEnd(exitCode);
  }

  #write(line: string): void {
    if (this.#current === undefined) this.#idleLines.push(line);
    else this.#current.log.write(`${line}\n`);
  }
}
