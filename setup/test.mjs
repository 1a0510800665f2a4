/**
 * `npm test`: installs what is missing, then checks types, code and generated Python, runs the tests, and finally
 * deploys to an AWS emulator, which has its own environment. Arguments go to vitest; then only the tests that they
 * select are run, without the deployment. If a stage fails, the later ones still run. The last line counts the tests.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { browserOf, findBrowser, NO_BROWSER } from './browser.mjs';
import { ensureSetUp } from './ensure.mjs';
import { locate, projectRoot } from './environment.mjs';
import { SetUpError } from './failure.mjs';
import { runStages, staticChecks } from './stages.mjs';
import { countTests } from './test-counts.mjs';

/** @import { Stage } from './stages.mjs' */

const locations = locate(projectRoot);
const chosen = process.argv.slice(2);

/**
 * @param {{ title: string, command: string, args: string[], resultsName: string }} run
 * @returns {Stage & { countsFile: string }}
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

/** The deploy tests have a configuration of their own, which knows none of the tests that were chosen. */
const runs = chosen.length === 0 ? [tests, deployment] : [tests];

async function test() {
  await ensureSetUp(locations);
  await ensureSetUp(locations, [browserOf()]);
  const countsFiles = runs.map(({ countsFile }) => countsFile);
  for (const file of countsFiles) rmSync(file, { force: true });
  const { failed: failedStages, interruptedBy } = await runStages(locations, [
    ...staticChecks(locations),
    ...runs,
  ]);
  if (interruptedBy !== undefined) return interruptedBy;
  if (findBrowser() === undefined) console.log(`\n${NO_BROWSER}`);
  if (failedStages.length > 0) console.log(`\nFailed: ${failedStages.join(', ')}`);
  const { passed, failed } = countTests(countsFiles);
  console.log(`${passed} passed, ${failed} failed`);
  return failedStages.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await test();
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}
