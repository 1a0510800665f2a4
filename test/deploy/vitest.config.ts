import { defineConfig } from 'vitest/config';

const MINUTE = 60_000;

export default defineConfig({
  test: {
    include: ['test/deploy/**/*.test.ts'],
    testTimeout: MINUTE,
    hookTimeout: 5 * MINUTE,
  },
});
