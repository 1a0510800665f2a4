import { expect, test } from 'vitest';
import { projectRoot } from '../../setup/environment.mjs';
import { testGroups } from '../../tools/test-groups.ts';
import { readSources } from '../../tools/walls/source-files.ts';

/** Put together, so that this test does not count as one that starts them. */
const [APP_PROGRAM = '', LIST_PROGRAM = ''] = ['app', 'list'].map((name) => `bin/${name}.ts`);

const importing = (path: string): string => `import { it } from '${path}';`;

test('a test that reaches the app, starts a program that does, or runs Python is not among the quick ones', () => {
  const sources = new Map([
    ['lib/app.ts', ''],
    ['test/support/synthesize.ts', importing('../../lib/app.ts')],
    ['test/lib/direct.test.ts', importing('../../lib/app.ts')],
    ['test/lib/replacing.test.ts', `${importing('../../lib/app.ts')} vi.mock('../../lib/page.ts')`],
    ['test/lib/over-another.test.ts', importing('../support/synthesize.ts')],
    [APP_PROGRAM, importing('../lib/app.ts')],
    [LIST_PROGRAM, ''],
    ['test/bin/starting.test.ts', `run('${APP_PROGRAM}')`],
    ['test/bin/listing.test.ts', `run('${LIST_PROGRAM}')`],
    ['test/emr-steps/reference.test.ts', `new URL('./${'reference'}.py', import.meta.url)`],
    ['test/generator/large.slow.test.ts', ''],
    ['test/domain/pure.test.ts', ''],
    ['test/emr-steps/slow.spark.test.ts', importing('../support/synthesize.ts')],
    ['test/deploy/deploy.test.ts', importing('../../lib/app.ts')],
    ['test/emr-steps/minutes.proof.test.ts', ''],
  ]);
  expect(testGroups(sources)).toEqual({
    unit: ['test/bin/listing.test.ts', 'test/domain/pure.test.ts'],
    app: ['test/lib/direct.test.ts', 'test/lib/over-another.test.ts'],
    slow: [
      'test/lib/replacing.test.ts',
      'test/bin/starting.test.ts',
      'test/emr-steps/reference.test.ts',
      'test/generator/large.slow.test.ts',
    ],
    spark: ['test/emr-steps/slow.spark.test.ts'],
  });
});

test("each of the project's tests is in one group", () => {
  const groups = testGroups(readSources(projectRoot));
  expect(groups.unit).toContain('test/domain/cost.test.ts');
  expect(groups.app).toContain('test/lib/stacks.test.ts');
  expect(groups.slow).toContain('test/fault-injection/endings.test.ts');
  expect(groups.spark).toContain('test/local/whole-run.spark.test.ts');
  const all = Object.values(groups).flat();
  expect(new Set(all).size).toBe(all.length);
});
