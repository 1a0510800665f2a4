/** Steps that run one after another in one Spark session, and can be killed after one of their commits. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { PLAN } from '../../domain/lake-objects.ts';
import type { RunPlan } from '../../domain/run.ts';
import type { Step } from '../../emr-steps/step.ts';
import { LOG4J_PROPERTIES, localSparkSettings, propertiesText } from '../../local/spark/configuration.ts';
import { javaOptions } from '../../local/spark/java-options.ts';
import { sparkSubmit } from '../../local/spark/submit.ts';

const SERVER = new URL('./step_server.py', import.meta.url).pathname;
const POLL_MILLISECONDS = 5;

const replySchema = z.strictObject({
  outcome: z.enum(['done', 'dead', 'failed']),
  /** What was committed, in order. */
  commits: z.array(z.string()),
  error: z.string().nullable(),
});
export type StepReply = z.infer<typeof replySchema>;

/** A script, and the name of its file. */
export type ServedStep = Pick<Step<unknown>, 'scriptName' | 'script'>;

export class StepServer {
  readonly #folder: string;
  readonly #process: Promise<number | undefined>;
  #requests = 0;
  #exitCode: number | undefined;

  private constructor(folder: string, process: Promise<number | undefined>) {
    this.#folder = folder;
    this.#process = process.then((code) => {
      this.#exitCode = code ?? -1;
      return code;
    });
  }

  /** @param folder of its own, for what it writes */
  static async start(folder: string, steps: readonly ServedStep[]): Promise<StepServer> {
    const [mailbox, configurationFolder, scratchFolder] = ['mail', 'conf', 'scratch'].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    for (const path of [mailbox, configurationFolder, scratchFolder]) await mkdir(path, { recursive: true });
    const settings = localSparkSettings({ lakeFolder: folder, scratchFolder, defined: {} });
    await writeFile(join(configurationFolder, 'spark-defaults.conf'), propertiesText(settings));
    await writeFile(join(configurationFolder, 'log4j2.properties'), LOG4J_PROPERTIES);
    const scripts = await Promise.all(
      steps.map(async ({ scriptName, script }) => {
        await writeFile(join(folder, scriptName), script);
        return join(folder, scriptName);
      }),
    );
    const process = sparkSubmit({
      script: SERVER,
      arguments: [mailbox, ...scripts],
      configurationFolder,
      workingFolder: folder,
      javaOptions: javaOptions(scratchFolder, true),
      logFile: join(folder, 'step.log'),
      signal: new AbortController().signal,
      onStart: async () => {},
      onProgress: () => {},
    });
    return new StepServer(folder, process);
  }

  /** Runs a step for a plan. @param dieAfter the number of the commit after which it is killed */
  async run(step: ServedStep, plan: RunPlan, dieAfter?: number): Promise<StepReply> {
    const file = (kind: string): string => join(this.#folder, 'mail', `${this.#requests}.${kind}`);
    const planPath = join(plan.lakeRoot.slice('file://'.length), PLAN.of(plan.runId).key);
    const request = { script: step.scriptName, plan: planPath, dieAfter: dieAfter ?? null };
    await writeFile(file('unsent'), JSON.stringify(request));
    await rename(file('unsent'), file('request.json'));
    for (;;) {
      const reply = await readFile(file('reply.json'), 'utf8').catch(() => undefined);
      if (reply !== undefined) {
        this.#requests += 1;
        return replySchema.parse(JSON.parse(reply));
      }
      if (this.#exitCode !== undefined) throw new Error(`the step server ended: ${await this.log()}`);
      await wait(POLL_MILLISECONDS);
    }
  }

  /** Runs a step for one plan after another, with the statements in before.sql beside each; all must succeed. */
  async runAll(step: ServedStep, plans: readonly RunPlan[]): Promise<void> {
    for (const plan of plans) {
      const { outcome, error } = await this.run(step, plan);
      if (outcome !== 'done') throw new Error(`${step.scriptName} of ${plan.runId}: ${error}`);
    }
  }

  /** The output of the process. */
  log(): Promise<string> {
    return readFile(join(this.#folder, 'step.log'), 'utf8');
  }

  async stop(): Promise<void> {
    await writeFile(join(this.#folder, 'mail', 'stop'), '');
    await this.#process;
  }
}
