/** The decisions whose tests are put to the test: on money, promotion, lease and reconciliation. */
export const MUTATED: readonly string[] = [
  'domain/area-lower-bound.ts',
  'domain/cost.ts',
  'domain/poisson-interval.ts',
  'domain/predicted-observed.ts',
  'domain/reconcile.ts',
  'domain/sizing.ts',
  'domain/spot-price.ts',
  'lambda/choose-model/decide.ts',
  'lambda/choose-model/gates.ts',
  'lambda/run/cost.ts',
  'lambda/run/current.ts',
  'lambda/run/lease.ts',
  'lambda/store-metrics/reconciliation.ts',
];

/** Where the tests of these decisions are: others reach them too, and show nothing that these do not. */
export const TESTED_IN: readonly string[] = [
  'test/domain/',
  'test/lambda/choose-model/',
  'test/lambda/close-run/',
  'test/lambda/run/',
  'test/lambda/start-training/',
  'test/lambda/store-metrics/',
];
