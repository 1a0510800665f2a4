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

/** Places with a Java that does nothing but this when it is to archive Spark's classes. */
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
  test.runIf(existsSync(classArchives.spark))('is what a step loads them from', () => {
    // As spark-submit does: behind the class path of the settings come the folder of the configuration, and others.
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

  test('is left out where Java cannot make one, and not tried again', async () => {
    const locations = {
      ...locate(folder),
      ...{ projectRoot: process.cwd(), javaHome: join(folder, 'none') },
    };
    const remark = await sparkClasses.install(locations, new AbortController().signal);
    const log = join(locations.environmentFolder, 'logs', 'java-classes.log');
    expect(remark).toContain(`(see ${log}): all works without it`);
    expect(readFileSync(log, 'utf8')).toContain('ENOENT');
    expect(sparkClasses.isCurrent(locations)).toBe(true);
    expect(archiveOptions(locations.classArchives)).toEqual([]);
  });

  test('is thrown away half made', async () => {
    const locations = withJava('touch "$partial"; env; exit 3');
    vi.stubEnv('SPARK_SUBMIT_OPTS', '-Dforeign');
    const remark = await sparkClasses.install(locations, new AbortController().signal);
    const log = join(locations.environmentFolder, 'logs', 'spark-classes.log');
    expect(remark).toContain(log);
    expect(readFileSync(log, 'utf8')).toMatch(/^SPARK_CONF_DIR=/m);
    expect(readFileSync(log, 'utf8')).not.toContain('foreign');
    expect(readdirSync(join(locations.environmentFolder, 'classes'))).toEqual(['.set-up']);
  });

  test('is missed where Java ends well and makes none', async () => {
    const locations = withJava('exit 0');
    const remark = await sparkClasses.install(locations, new AbortController().signal);
    expect(remark).toMatch(/bin\/java makes none\): all works without it/);
    expect(archiveOptions(locations.classArchives)).toEqual([]);
  });

  test('is used without a word once it is made', async () => {
    const locations = withJava('touch "$partial"');
    expect(await sparkClasses.install(locations, new AbortController().signal)).toBeUndefined();
    expect(archiveOptions(locations.classArchives)).toHaveLength(1);
  });

  test("is made without the user's own Spark, Java and Python", () => {
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

  test('is not given up for an interruption', async () => {
    const locations = { ...locate(folder), projectRoot: process.cwd() };
    await expect(sparkClasses.install(locations, AbortSignal.abort())).rejects.toThrow();
    expect(sparkClasses.isCurrent(locations)).toBe(false);
  });
});
