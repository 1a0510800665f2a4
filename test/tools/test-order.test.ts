import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../../setup/environment.mjs';
import { LONGEST, longestFirst } from '../../tools/test-order.ts';

test('tests that take long begin first, the longest before the others, which keep their order', () => {
  const [longest = '', next = ''] = LONGEST;
  const files = [
    '/project/test/b.test.ts',
    `/project/${next}`,
    '/project/test/a.test.ts',
    `/project/${longest}`,
  ];
  expect(longestFirst(files, (file) => file)).toEqual([
    `/project/${longest}`,
    `/project/${next}`,
    '/project/test/b.test.ts',
    '/project/test/a.test.ts',
  ]);
});

test('the tests that are known to take long are there', () => {
  expect(LONGEST.filter((path) => !existsSync(join(projectRoot, path)))).toEqual([]);
});
