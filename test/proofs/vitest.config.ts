/** `npm run test:proofs`: tests with Spark that take minutes each and seldom say more than the shorter ones of `npm test`. */
import { defineConfig } from 'vitest/config';

const MINUTE = 60_000;

export default defineConfig({
  test: {
    include: ['test/**/*.proof.test.ts'],
    globalSetup: 'test/support/temporary-root.ts',
    fileParallelism: false,
    testTimeout: 10 * MINUTE,
    hookTimeout: 10 * MINUTE,
  },
});
