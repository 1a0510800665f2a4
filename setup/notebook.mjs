/**
 * `npm run notebook`: installs what notebooks need, which no other command does, and opens them in JupyterLab.
 * `--lake <folder>` names a lake other than `.churn`; other arguments go to JupyterLab.
 */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureSetUp } from './ensure.mjs';
import { locate, projectRoot } from './environment.mjs';
import { SetUpError } from './failure.mjs';
import { runProjectCommand } from './processes.mjs';
import { notebookEnvironment } from './python-environment.mjs';

const locations = locate(projectRoot);

/** @param {readonly string[]} given */
function argumentsOf(given) {
  const { values, tokens } = parseArgs({
    args: [...given],
    options: { lake: { type: 'string' } },
    strict: false,
    tokens: true,
  });
  if ('lake' in values && (typeof values.lake !== 'string' || values.lake === ''))
    throw new SetUpError('--lake needs a folder: npm run notebook -- --lake lakes/real');
  const ofLake = new Set(
    tokens.flatMap((token) =>
      token.kind === 'option' && token.name === 'lake'
        ? [token.index, ...(token.inlineValue ? [] : [token.index + 1])]
        : [],
    ),
  );
  return {
    lake: resolve(typeof values.lake === 'string' ? values.lake : '.churn'),
    others: given.filter((_, index) => !ofLake.has(index)),
  };
}

try {
  const { lake, others } = argumentsOf(process.argv.slice(2));
  await ensureSetUp(locations, [notebookEnvironment]);
  process.exitCode = await runProjectCommand(
    locations,
    join(locations.notebookFolder, 'bin', 'jupyter'),
    ['lab', join(locations.projectRoot, 'notebooks', 'explore.ipynb'), ...others],
    { CHURN_LAKE: lake },
  );
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}
