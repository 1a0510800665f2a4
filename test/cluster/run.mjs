/** `npm run test:cluster`: installs what is missing, including YARN, and rehearses the cluster on this machine. */
import { clusterJars, refuseOtherMachines } from '../../setup/cluster-jars.mjs';
import { ensureSetUp } from '../../setup/ensure.mjs';
import { locate, projectRoot } from '../../setup/environment.mjs';
import { SetUpError } from '../../setup/failure.mjs';
import { runProjectCommand } from '../../setup/processes.mjs';

const locations = locate(projectRoot);
try {
  refuseOtherMachines(process);
  await ensureSetUp(locations);
  await ensureSetUp(locations, [clusterJars]);
  process.exitCode = await runProjectCommand(locations, 'vitest', [
    ...['run', '--config', 'test/cluster/vitest.config.ts'],
    ...process.argv.slice(2),
  ]);
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}
