import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { classArchives, javaHome, type Locations, locate, sparkClassPath } from '../../setup/environment.mjs';
import { archiveOptions, sparkClasses, warmUpEnvironment } from '../../setup/spark-classes.mjs';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'classes-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** Locations with a fake Java that only runs this script when it should archive Spark's classes. */
function withJava(script: string): Locations {
  const javaHome = join(folder, 'fake-java');
  mkdirSync(join(javaHome, 'bin'), { recursive: true });
  const partial =
    'for word; do case $word in -XX:ArchiveClassesAtExit=*) partial=$(echo $word | cut -d= -f2);; esac; done';
  const text = `#!/bin/sh\n${partial}\n[ -n "$partial" ] || exit 0\n${script}\n`;
  writeFileSync(join(javaHome, 'bin', 'java'), text, { mode: 0o755 });
  return { ...locate(folder), projectRoot: process.cwd(), javaHome };
}

describe("the archive of Spark's classes", () => {
  test.runIf(existsSync(classArchives.spark))('is where a step loads the classes from', () => {
    // As with spark-submit: the configured class path is followed by the configuration folder and others.
    const classPath = [sparkClassPath, folder, join(folder, '*')].join(delimiter);
    const loaded = execFileSync(
      join(javaHome, 'bin', 'java'),
      [
        ...archiveOptions(classArchives),
        ...['-XX:+UseParallelGC', '-Xlog:class+load', '-cp', classPath],
        ...['org.apache.spark.deploy.SparkSubmit', '--version'],
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    );
    expect(loaded).toMatch(/org\.apache\.spark\.deploy\.SparkSubmit source: shared objects file \(top\)/);
    expect(loaded).toMatch(/java\.util\.ArrayList source: shared objects file$/m);
  });

  test('is left out when Java cannot create it, and not attempted again', async () => {
    const locations = {
      ...locate(folder),
      ...{ projectRoot: process.cwd(), javaHome: join(folder, 'none') },
    };
    const remark = await sparkClasses.install(locations, new AbortController().signal);
    const log = join(locations.environmentFolder, 'logs', 'java-classes.log');
    expect(remark).toContain(`(see ${log}): everything works without it`);
    expect(readFileSync(log, 'utf8')).toContain('ENOENT');
    expect(sparkClasses.isCurrent(locations)).toBe(true);
    expect(archiveOptions(locations.classArchives)).toEqual([]);
  });

  test('is deleted when it is incomplete', async () => {
    const locations = withJava('touch "$partial"; env; exit 3');
    vi.stubEnv('SPARK_SUBMIT_OPTS', '-Dforeign');
    const remark = await sparkClasses.install(locations, new AbortController().signal);
    const log = join(locations.environmentFolder, 'logs', 'spark-classes.log');
    expect(remark).toContain(log);
    expect(readFileSync(log, 'utf8')).toMatch(/^SPARK_CONF_DIR=/m);
    expect(readFileSync(log, 'utf8')).not.toContain('foreign');
    expect(readdirSync(join(locations.environmentFolder, 'classes'))).toEqual(['.set-up']);
  });

  test('is reported missing when Java succeeds without creating it', async () => {
    const locations = withJava('exit 0');
    const remark = await sparkClasses.install(locations, new AbortController().signal);
    expect(remark).toMatch(/bin\/java did not create one\): everything works without it/);
    expect(archiveOptions(locations.classArchives)).toEqual([]);
  });

  test('is used without a remark once it has been created', async () => {
    const locations = withJava('touch "$partial"');
    expect(await sparkClasses.install(locations, new AbortController().signal)).toBeUndefined();
    expect(archiveOptions(locations.classArchives)).toHaveLength(1);
  });

  test("is created without the user's own Spark, Java and Python", () => {
    const locations = locate(folder);
    const own = {
      JAVA_TOOL_OPTIONS: '-Xmx9g',
      JDK_JAVA_OPTIONS: '-Xmx9g',
      _JAVA_OPTIONS: '-Xmx9g',
      SPARK_CONF_DIR: '/etc/spark',
      SPARK_SUBMIT_OPTS: '-Dx',
      PYSPARK_DRIVER_PYTHON: 'jupyter',
      PYTHONPATH: '/opt/python',
      CLASSPATH: '/opt/jars',
    };
    const seen = {
      ...own,
      HOME: '/home',
      ...warmUpEnvironment(locations, '/empty', { ...own, HOME: '/home' }),
    };
    expect(Object.fromEntries(Object.entries(seen).filter(([, value]) => value !== undefined))).toEqual({
      HOME: '/home',
      SPARK_HOME: locations.sparkHome,
      SPARK_CONF_DIR: '/empty',
      JAVA_HOME: locations.javaHome,
      SPARK_LOCAL_IP: '127.0.0.1',
      PYSPARK_PYTHON: locations.pythonExecutable,
      PYSPARK_DRIVER_PYTHON: locations.pythonExecutable,
    });
  });

  test('is created by the next set-up after an interruption', async () => {
    const locations = { ...locate(folder), projectRoot: process.cwd() };
    await expect(sparkClasses.install(locations, AbortSignal.abort())).rejects.toThrow();
    expect(sparkClasses.isCurrent(locations)).toBe(false);
  });
});
