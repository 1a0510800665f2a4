/**
 * `npm run docs:site`: installs the generator of the site, which no other command does, and builds `site` from the pages of
 * the repository; a broken link fails. `-- --serve` shows it on this machine and builds again at each change.
 */
import { join } from 'node:path';
import { ensureSetUp } from './ensure.mjs';
import { locate, projectRoot } from './environment.mjs';
import { SetUpError } from './failure.mjs';
import { runProjectCommand } from './processes.mjs';
import { siteEnvironment } from './python-environment.mjs';

const locations = locate(projectRoot);
const [flag, ...others] = process.argv.slice(2);
try {
  await ensureSetUp(locations, [siteEnvironment]);
  const serves = flag === '--serve';
  const exitCode = await runProjectCommand(
    locations,
    join(locations.siteFolder, 'bin', 'python'),
    [
      ...['-m', 'mkdocs', serves ? 'serve' : 'build', '--config-file', 'tools/site/mkdocs.yml'],
      ...(flag === undefined || serves ? others : [flag, ...others]),
    ],
    // A notice of the theme about the future of its generator, at each build.
    { NO_MKDOCS_2_WARNING: '1' },
  );
  if (exitCode === 0 && !serves)
    console.error(
      `${join(locations.projectRoot, 'site')} can be put on any web server; npm run docs:site -- --serve shows it here.`,
    );
  process.exitCode = exitCode;
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}
