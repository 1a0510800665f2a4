import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { countTests } from '../../setup/test-counts.mjs';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'counts-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What vitest writes for files whose tests had these outcomes; a file without tests failed to load. */
function results(name: string, files: readonly (readonly ('passed' | 'failed')[])[]): string {
  const file = join(folder, name);
  const all = files.flat();
  writeFileSync(
    file,
    JSON.stringify({
      numPassedTests: all.filter((status) => status === 'passed').length,
      numFailedTests: all.filter((status) => status === 'failed').length,
      testResults: files.map((tests) => ({
        status: tests.length === 0 || tests.includes('failed') ? 'failed' : 'passed',
        assertionResults: tests.map((status) => ({ status })),
      })),
    }),
  );
  return file;
}

it('adds up the test counts of several runs', () => {
  const files = [results('a.json', [['passed', 'passed'], ['failed']]), results('b.json', [['passed']])];
  expect(countTests(files)).toEqual({ passed: 3, failed: 1 });
});

it('counts a test file that failed without a failed test as one failed test', () => {
  expect(countTests([results('c.json', [['passed'], []])])).toEqual({ passed: 1, failed: 1 });
});

it('counts a test run that wrote no results as one failed test', () => {
  const files = [results('d.json', [['passed']]), join(folder, 'not there.json')];
  expect(countTests(files)).toEqual({ passed: 1, failed: 1 });
});
