/**
 * `npm run check`: in half a minute what can be known without Spark and without synthesizing the app: types, code,
 * generated Python, and the unit tests, the walls between folders among them. Arguments go to vitest: `--watch` runs
 * the tests again at each change.
 */
import { availableParallelism } from 'node:os';
import { ensureSetUp } from './ensure.mjs';
import { locate, projectRoot } from './environment.mjs';
import { SetUpError } from './failure.mjs';
import { runStages, staticChecks } from './stages.mjs';

const locations = locate(projectRoot);
const chosen = process.argv.slice(2);
/** One more than there are processors: some tests wait for a process or a clock most of their time. */
const workers = availableParallelism() + 1;
const watches = chosen.some((argument) => argument === '--watch' || argument === '-w');

async function check() {
  await ensureSetUp(locations);
  const { failed, interruptedBy } = await runStages(locations, [
    ...staticChecks(locations),
    {
      title: 'unit tests (vitest)',
      command: 'vitest',
      args: [...(watches ? [] : ['run']), '--project', 'unit', `--maxWorkers=${workers}`, ...chosen],
    },
  ]);
  if (interruptedBy !== undefined) return interruptedBy;
  console.log(failed.length === 0 ? '\nAll checks passed.' : `\nFailed: ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await check();
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}
