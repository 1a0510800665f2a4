/** How many tests passed and failed, from the files of vitest's JSON reporter. */
import { existsSync, readFileSync } from 'node:fs';

/**
 * The sum over several files, each written by one run of vitest. A test file that failed without a failed test (it
 * could not be loaded, or its setup failed) counts as one failed test, and so does a run that wrote no file: it broke
 * and has printed why.
 * @param {readonly string[]} files
 */
export function countTests(files) {
  const counts = files.map(countTestsOf);
  return {
    passed: counts.reduce((sum, { passed }) => sum + passed, 0),
    failed: counts.reduce((sum, { failed }) => sum + failed, 0),
  };
}

/** @param {string} file */
function countTestsOf(file) {
  if (!existsSync(file)) return { passed: 0, failed: 1 };
  /** @type {{ numPassedTests: number, numFailedTests: number, testResults: { status: string, assertionResults: { status: string }[] }[] }} */
  const results = JSON.parse(readFileSync(file, 'utf8'));
  const broken = results.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && assertionResults.every((assertion) => assertion.status !== 'failed'),
  );
  return { passed: results.numPassedTests, failed: results.numFailedTests + broken.length };
}
