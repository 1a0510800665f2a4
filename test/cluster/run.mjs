/**
 * `npm run test:cluster`: installs what is missing, including YARN and the emulator of AWS, and rehearses the cluster on
 * this machine. `-- --faults` rehearses what fails instead, `-- --athena` Athena's engine. Other arguments are Vitest's.
 */
import { athenaEngine, athenaJava } from '../../setup/athena-engine.mjs';
import { clusterJars, refuseOtherMachines } from '../../setup/cluster-jars.mjs';
import { ensureSetUp } from '../../setup/ensure.mjs';
import { locate, projectRoot } from '../../setup/environment.mjs';
import { SetUpError } from '../../setup/failure.mjs';
import { runProjectCommand } from '../../setup/processes.mjs';
import { deployEmulator } from '../../setup/python-environment.mjs';

/** Rehearsals that run only when they are asked for, with the test of each. @type {Readonly<Record<string, string>>} */
const ON_REQUEST = {
  '--faults': 'test/cluster/faults.cluster.test.ts',
  '--athena': 'test/cluster/athena.cluster.test.ts',
};

const asked = process.argv.slice(2);
const chosen = Object.keys(ON_REQUEST).filter((option) => asked.includes(option));
const others = asked.filter((argument) => !(argument in ON_REQUEST));
const files = chosen.map((option) => ON_REQUEST[option] ?? '');
const excluded = Object.values(ON_REQUEST).filter((file) => !files.includes(file));

const locations = locate(projectRoot);
try {
  refuseOtherMachines(process);
  await ensureSetUp(locations);
  const engine = chosen.includes('--athena') ? [athenaEngine, athenaJava] : [];
  await ensureSetUp(locations, [clusterJars, deployEmulator, ...engine]);
  process.exitCode = await runProjectCommand(locations, 'vitest', [
    ...['run', '--config', 'test/cluster/vitest.config.ts'],
    ...files,
    ...excluded.flatMap((file) => ['--exclude', file]),
    ...others,
  ]);
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}
