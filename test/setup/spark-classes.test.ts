import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { classArchives, javaHome, locate, sparkClassPath } from '../../setup/environment.mjs';
import { archiveOptions, sparkClasses } from '../../setup/spark-classes.mjs';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'classes-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

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
    await sparkClasses.install(locations, new AbortController().signal);
    expect(sparkClasses.isCurrent(locations)).toBe(true);
    expect(archiveOptions(locations.classArchives)).toEqual([]);
  });

  test('is not given up for an interruption', async () => {
    const locations = { ...locate(folder), projectRoot: process.cwd() };
    await expect(sparkClasses.install(locations, AbortSignal.abort())).rejects.toThrow();
    expect(sparkClasses.isCurrent(locations)).toBe(false);
  });
});
