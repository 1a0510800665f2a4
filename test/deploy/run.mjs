/** `npm run test:deploy`: installs what is missing, including the emulator, and runs the deployment tests. */
import { ensureSetUp } from '../../setup/ensure.mjs';
import { locate, projectRoot } from '../../setup/environment.mjs';
import { SetUpError } from '../../setup/failure.mjs';
import { runProjectCommand } from '../../setup/processes.mjs';
import { deployEmulator } from '../../setup/python-environment.mjs';

const locations = locate(projectRoot);
try {
  await ensureSetUp(locations);
  await ensureSetUp(locations, [deployEmulator]);
  process.exitCode = await runProjectCommand(locations, 'vitest', [
    ...['run', '--config', 'test/deploy/vitest.config.ts'],
    ...process.argv.slice(2),
  ]);
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}
