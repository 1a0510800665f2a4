/**
 * `npm run mutants`: changes the code of decisions, one place at a time, and shows the changes that no unit test notices.
 * The page .environment/mutants/mutants.html has each in its place. The result is shown, not gated.
 */
import { MUTATED } from './mutated.ts';

/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  mutate: [...MUTATED],
  testRunner: 'vitest',
  vitest: { configFile: 'tools/mutants/vitest.config.ts', related: false },
  plugins: ['@stryker-mutator/vitest-runner'],
  coverageAnalysis: 'perTest',
  // Worth nothing to a test: texts for people, and what only formats them.
  mutator: { excludedMutations: ['StringLiteral'] },
  concurrency: 2,
  timeoutMS: 20_000,
  // Stryker rewrites a tsconfig.json by TypeScript's JavaScript API, which TypeScript 7 no longer has.
  ignorePatterns: ['tsconfig.json', '.environment', '.churn', 'cdk.out*', '/docs'],
  tempDirName: '.stryker-tmp',
  reporters: ['clear-text', 'html'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, skipFull: false },
  htmlReporter: { fileName: '.environment/mutants/mutants.html' },
  thresholds: { high: 90, low: 80, break: null },
  allowConsoleColors: false,
};
