/** Four kinds of tests: quick ones, those that synthesize the app, slower ones, and those that start Spark. */
import { availableParallelism, totalmem } from 'node:os';
import { defineConfig } from 'vitest/config';
import { projectRoot } from './setup/environment.mjs';
import { testGroups } from './tools/test-groups.ts';
import { LongestFirst } from './tools/test-order.ts';
import { readSources } from './tools/walls/source-files.ts';

const MINUTE = 60_000;
const GIBIBYTE = 1_073_741_824;

const cores = availableParallelism();
/** A test with Spark leaves a core idle for much of its time: while Spark starts and plans. It may need 4 GiB of memory. */
const sparkTests = Math.max(1, Math.min(cores, Math.floor(totalmem() / (4 * GIBIBYTE))));

const groups = testGroups(readSources(projectRoot));

export default defineConfig({
  test: {
    globalSetup: 'test/support/temporary-root.ts',
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: [...groups.unit],
          // They leave nothing behind in their process, so the next file may find the modules loaded.
          isolate: false,
          maxWorkers: cores,
          testTimeout: MINUTE,
          hookTimeout: MINUTE,
        },
      },
      {
        test: {
          name: 'app',
          include: [...groups.app],
          // Loading the CDK takes longer than most of these tests.
          isolate: false,
          maxWorkers: cores,
          testTimeout: 3 * MINUTE,
          hookTimeout: 3 * MINUTE,
        },
      },
      {
        test: {
          name: 'slow',
          include: [...groups.slow],
          maxWorkers: cores,
          testTimeout: 3 * MINUTE,
          hookTimeout: 3 * MINUTE,
        },
      },
      {
        test: {
          name: 'spark',
          include: [...groups.spark],
          maxWorkers: sparkTests,
          sequence: { groupOrder: 1 },
          testTimeout: 10 * MINUTE,
          hookTimeout: 10 * MINUTE,
        },
      },
    ],
  },
});
