import { defineConfig } from 'vitest/config';

const MINUTE = 60_000;

export default defineConfig({
  test: {
    include: ['test/cluster/**/*.cluster.test.ts'],
    // The daemons of YARN have fixed addresses.
    fileParallelism: false,
    testTimeout: 15 * MINUTE,
    hookTimeout: 5 * MINUTE,
  },
});
