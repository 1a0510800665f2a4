import { defineConfig } from 'vitest/config';

const MINUTE = 60_000;

export default defineConfig({
  test: {
    include: ['test/notebook/**/*.test.ts'],
    globalSetup: 'test/support/temporary-root.ts',
    testTimeout: MINUTE,
    hookTimeout: 10 * MINUTE,
  },
});
