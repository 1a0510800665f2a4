/** `npm run test:notebook`: installs what is missing, the notebooks' packages included, and runs the notebook's tests. */
import { ensureSetUp } from '../../setup/ensure.mjs';
import { locate, projectRoot } from '../../setup/environment.mjs';
import { SetUpError } from '../../setup/failure.mjs';
import { runProjectCommand } from '../../setup/processes.mjs';
import { notebookEnvironment } from '../../setup/python-environment.mjs';

const locations = locate(projectRoot);
try {
  await ensureSetUp(locations);
  await ensureSetUp(locations, [notebookEnvironment]);
  process.exitCode = await runProjectCommand(locations, 'vitest', [
    ...['run', '--config', 'test/notebook/vitest.config.ts'],
    ...process.argv.slice(2),
  ]);
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}
