/**
 * `npm test`: sets up what is missing, then checks types, code and generated Python, and runs the tests. Arguments
 * go to vitest. A stage that fails does not keep the later ones from telling what they find. The last line counts
 * the tests.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureSetUp } from './ensure.mjs';
import { locate, projectRoot } from './environment.mjs';
import { SetUpError } from './failure.mjs';
import { runProjectCommand } from './processes.mjs';

const locations = locate(projectRoot);
const countsFile = join(locations.environmentFolder, 'test-results.json');

/** @type {ReadonlyArray<{ title: string, command: string, args: string[] }>} */
const stages = [
  { title: 'types (tsc)', command: 'tsc', args: [] },
  { title: 'code (biome)', command: 'biome', args: ['check'] },
  { title: 'generated Python (ruff)', command: locations.ruffExecutable, args: ['check'] },
  {
    title: 'format of generated Python (ruff)',
    command: locations.ruffExecutable,
    args: ['format', '--check'],
  },
  {
    title: 'tests (vitest)',
    command: 'vitest',
    args: [
      ...['run', '--reporter=default', '--reporter=json', `--outputFile.json=${countsFile}`],
      ...process.argv.slice(2),
    ],
  },
];

/**
 * A file that failed without a failed test (it could not be loaded, or its preparation broke) counts as one.
 * @param {string} file written by vitest
 */
function countTests(file) {
  if (!existsSync(file)) return { passed: 0, failed: 1 }; // vitest itself broke, and has said why.
  /** @type {{ numPassedTests: number, numFailedTests: number, testResults: { status: string, assertionResults: { status: string }[] }[] }} */
  const results = JSON.parse(readFileSync(file, 'utf8'));
  const broken = results.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && assertionResults.every((assertion) => assertion.status !== 'failed'),
  );
  return { passed: results.numPassedTests, failed: results.numFailedTests + broken.length };
}

async function test() {
  await ensureSetUp(locations);
  rmSync(countsFile, { force: true });
  /** @type {string[]} */
  const failures = [];
  for (const [index, { title, command, args }] of stages.entries()) {
    console.log(`\n[${index + 1}/${stages.length}] ${title}`);
    const exitCode = await runProjectCommand(locations, command, args);
    if (exitCode > 128) return exitCode;
    if (exitCode !== 0) failures.push(title);
  }
  if (failures.length > 0) console.log(`\nFailed: ${failures.join(', ')}`);
  const { passed, failed } = countTests(countsFile);
  console.log(`${passed} passed, ${failed} failed`);
  return failures.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await test();
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}
