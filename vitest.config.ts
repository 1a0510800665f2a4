/** Three kinds of tests: quick ones, slower ones, and those that start Spark, one file after the other. */
import { defineConfig } from 'vitest/config';
import { projectRoot } from './setup/environment.mjs';
import { testGroups } from './tools/test-groups.ts';
import { readSources } from './tools/walls/source-files.ts';

const MINUTE = 60_000;

const groups = testGroups(readSources(projectRoot));

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [...groups.unit],
          // They leave nothing behind in their process, so the next file may find the modules loaded.
          isolate: false,
          testTimeout: MINUTE,
          hookTimeout: MINUTE,
        },
      },
      {
        test: {
          name: 'slow',
          include: [...groups.slow],
          testTimeout: MINUTE,
          hookTimeout: MINUTE,
        },
      },
      {
        test: {
          name: 'spark',
          include: [...groups.spark],
          fileParallelism: false,
          testTimeout: 10 * MINUTE,
          hookTimeout: 10 * MINUTE,
        },
      },
    ],
  },
});
