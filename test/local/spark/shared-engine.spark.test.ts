/** The one Spark application of a local run, with real Spark. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endGroup, groupLives } from '../../../local/processes/group.ts';
import type { ProcessIdentity } from '../../../local/processes/identity.ts';
import { LOG4J_PROPERTIES, localSparkSettings, propertiesText } from '../../../local/spark/configuration.ts';
import { javaOptions } from '../../../local/spark/java-options.ts';
import type { SparkProgress } from '../../../local/spark/progress.ts';
import { sharedEngine } from '../../../local/spark/shared-engine.ts';
import { temporaryFolder } from '../../support/spark-lake.ts';

const PREAMBLE = `
import os, sys, time
from pyspark.sql import SparkSession
spark = SparkSession.builder.appName("a step").getOrCreate()
print("application", spark.sparkContext.applicationId)
`;

let folder: string;
const engine = sharedEngine();
const leaders: ProcessIdentity[] = [];
const shown: SparkProgress[] = [];
beforeAll(async () => {
  folder = await temporaryFolder();
  await mkdir(join(folder, 'scratch'));
  const settings = localSparkSettings({
    lakeFolder: folder,
    scratchFolder: join(folder, 'scratch'),
    defined: {},
  });
  await writeFile(join(folder, 'spark-defaults.conf'), propertiesText(settings));
  await writeFile(join(folder, 'log4j2.properties'), LOG4J_PROPERTIES);
});
afterAll(async () => {
  for (const leader of leaders) await endGroup(leader, 0);
  await rm(folder, { recursive: true, force: true });
});

/** Runs Python code as a step; returns its exit code, log, processor seconds and application. */
async function run(name: string, code: string, signal = new AbortController().signal) {
  const script = join(folder, `${name}.py`);
  await writeFile(script, PREAMBLE + code);
  const exitCode = await engine({
    script,
    arguments: ['--plan', 'a plan'],
    configurationFolder: folder,
    workingFolder: join(folder, 'scratch'),
    javaOptions: javaOptions(join(folder, 'scratch'), true),
    logFile: join(folder, 'logs', `${name}.log`),
    signal,
    onStart: async (leader) => {
      leaders.push(leader);
    },
    onProgress: (progress) => void shown.push(progress),
  });
  const log = await readFile(join(folder, 'logs', `${name}.log`), 'utf8');
  return { exitCode, log, application: /application (\S+)/.exec(log)?.[1] };
}

describe('the application that steps share', () => {
  it('keeps apart what steps print, set, exit with and take, and ends with none of them', async () => {
    const first = await run(
      'first',
      `
print("arguments", sys.argv[1:])
spark.conf.set("spark.sql.shuffle.partitions", "3")
spark.range(10).createOrReplaceTempView("numbers")
print("to standard error", file=sys.stderr)
spark._jvm.System.err.println("from Java")
sum(n * n for n in range(10_000_000))
sys.stdout.write("without an ending")
`,
    );
    expect(first).toMatchObject({ exitCode: 0, application: expect.any(String) });
    for (const text of ["arguments ['--plan', 'a plan']", 'to standard error', 'from Java', 'an ending\n'])
      expect(first.log).toContain(text);
    expect(first.log).not.toContain('end of step');
    const second = await run(
      'second',
      `
print("partitions", spark.conf.get("spark.sql.shuffle.partitions"))
print("views", [view.name for view in spark.catalog.listTables()])
sys.exit(3)
`,
    );
    expect(second).toMatchObject({ exitCode: 3, application: first.application });
    expect(second.log).toMatch(/partitions (?!3\n)\d+\n[\s\S]*views \[\]/);
    expect(second.log).not.toContain('arguments');
    const third = await run('third', 'raise ValueError("what was wrong")');
    expect(third).toMatchObject({ exitCode: 1, application: first.application });
    expect(third.log).toContain('ValueError: what was wrong');
    const seconds = async (name: string): Promise<number> =>
      Number(/\n0m([\d.]+)s/.exec(await readFile(join(folder, 'logs', `${name}.times`), 'utf8'))?.[1]);
    expect(await seconds('first')).toBeGreaterThan(await seconds('third'));
  });

  it('counts the rows that a stage reads, beside the bar of its tasks', async () => {
    await writeFile(join(folder, 'lines.txt'), 'a line\n'.repeat(40_000));
    const read = await run(
      'rows',
      `
def slowly(lines):
    time.sleep(0.5)
    return [sum(1 for _ in lines)]
print("lines", sum(spark.sparkContext.textFile(r"${join(folder, 'lines.txt')}", 16).mapPartitions(slowly).collect()))
`,
    );
    expect(read.log).toContain('lines 40000');
    expect(read.log).not.toContain('Rows of stage');
    const counts = shown.flatMap(({ rowsRead }) => rowsRead ?? []);
    expect(counts.length).toBeGreaterThan(0);
    expect(Math.max(...counts)).toBeGreaterThan(1_000);
    expect(Math.max(...counts)).toBeLessThanOrEqual(40_000);
  });

  it('is ended with a step that is stopped, and replaced for the next', async () => {
    const stop = new AbortController();
    const logged = readUntil(join(folder, 'logs', 'stopped.log'), 'waiting', stop);
    const stopped = await run('stopped', 'print("waiting", flush=True)\ntime.sleep(600)', stop.signal);
    await logged;
    expect(stopped.exitCode).toBeUndefined();
    const leader = leaders.at(-1);
    expect(leader !== undefined && groupLives(leader)).toBe(false);
    const next = await run('next', '');
    expect(next.exitCode).toBe(0);
    expect(next.application).not.toBe(stopped.application);
  });

  it('is replaced when it has died, and the step it died with fails', async () => {
    const died = await run('died', 'spark._jvm.Runtime.getRuntime().halt(9)');
    expect(died.exitCode).toBe(9);
    const next = await run('after', '');
    expect(next.exitCode).toBe(0);
    expect(next.application).not.toBe(died.application);
  });
});

/** Stops the step once its log contains the text. */
async function readUntil(file: string, text: string, stop: AbortController): Promise<void> {
  await expect
    .poll(() => readFile(file, 'utf8').catch(() => ''), { timeout: 60_000, interval: 100 })
    .toContain(text);
  stop.abort();
}
