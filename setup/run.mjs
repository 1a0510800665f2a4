/**
 * Runs a command of this project after installing what is missing: `node setup/run.mjs <command> <arguments>`.
 * The project's Node 22 and tools come first on the command's PATH. Without a command it only installs.
 */
import { ensureSetUp } from './ensure.mjs';
import { locate, projectRoot } from './environment.mjs';
import { SetUpError } from './failure.mjs';
import { runProjectCommand } from './processes.mjs';

const [command, ...args] = process.argv.slice(2);
const locations = locate(projectRoot);
try {
  await ensureSetUp(locations);
  if (command === undefined) console.error('Everything is set up.');
  else process.exitCode = await runProjectCommand(locations, command, args);
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}
