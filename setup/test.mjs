/**
 * `npm test`: installs what is missing, then checks types, code and generated Python, runs the tests, and finally
 * deploys to an AWS emulator, which has its own environment. Arguments go to vitest; then only the tests that they
 * select are run, without the deployment. If a stage fails, the later ones still run. The last line counts the tests.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureSetUp } from './ensure.mjs';
import { locate, projectRoot } from './environment.mjs';
import { SetUpError } from './failure.mjs';
import { runProjectCommand } from './processes.mjs';
import { countTests } from './test-counts.mjs';

const locations = locate(projectRoot);
const chosen = process.argv.slice(2);

/** @typedef {{ title: string, command: string, args: string[], countsFile?: string }} Stage */

/** @type {readonly Stage[]} */
const checks = [
  { title: 'types (tsc)', command: 'tsc', args: [] },
  { title: 'code (biome)', command: 'biome', args: ['check'] },
  { title: 'generated Python (ruff)', command: locations.ruffExecutable, args: ['check'] },
  {
    title: 'format of generated Python (ruff)',
    command: locations.ruffExecutable,
    args: ['format', '--check'],
  },
];

/**
 * @param {{ title: string, command: string, args: string[], resultsName: string }} run
 * @returns {Stage}
 */
function counted({ title, command, args, resultsName }) {
  const countsFile = join(locations.environmentFolder, resultsName);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${countsFile}`];
  return { title, command, args: [...args, ...reporters, ...chosen], countsFile };
}

const tests = counted({
  title: 'tests (vitest)',
  command: 'vitest',
  args: ['run'],
  resultsName: 'test-results.json',
});
const deployment = counted({
  title: 'deployment to an emulator (vitest)',
  command: 'node',
  args: ['test/deploy/run.mjs'],
  resultsName: 'deploy-test-results.json',
});

/** The deployment tests have their own configuration, which does not contain the selected tests. */
const stages = chosen.length === 0 ? [...checks, tests, deployment] : [...checks, tests];

async function test() {
  await ensureSetUp(locations);
  const countsFiles = stages.flatMap(({ countsFile }) => countsFile ?? []);
  for (const file of countsFiles) rmSync(file, { force: true });
  /** @type {string[]} */
  const failures = [];
  for (const [index, { title, command, args }] of stages.entries()) {
    console.log(`\n[${index + 1}/${stages.length}] ${title}`);
    const exitCode = await runProjectCommand(locations, command, args);
    if (exitCode > 128) return exitCode;
    if (exitCode !== 0) failures.push(title);
  }
  if (failures.length > 0) console.log(`\nFailed: ${failures.join(', ')}`);
  const { passed, failed } = countTests(countsFiles);
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
