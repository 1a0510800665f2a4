/** Programs in Python that load the script of a step, do the same a second time, and print both as one JSON document. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Step } from '../../emr-steps/step.ts';
import { sparkEnvironment, writeConfiguration } from '../../local/spark/configuration.ts';
import { pythonExecutable } from '../../setup/environment.mjs';

/** Of the rows of a test, in characters. */
const MOST_OUTPUT = 100_000_000;

/**
 * Runs a program with Spark as a local run starts it: from the archive of its classes, compiled by Java's first compiler.
 * @param folder an empty one, for everything that is written
 * @param program it gets the paths of the scripts, then the other arguments
 * @returns the document that it printed
 */
export async function referenceOutput(
  folder: string,
  program: URL,
  steps: readonly Step<unknown>[],
  more: readonly string[] = [],
): Promise<unknown> {
  const scripts = steps.map(({ scriptName }) => join(folder, scriptName));
  for (const { scriptName, script } of steps) await writeFile(join(folder, scriptName), script);
  const configurationFolder = join(folder, 'conf');
  await writeConfiguration(configurationFolder, { lakeFolder: join(folder, 'lake'), defined: {} });
  const { stdout } = await execa(pythonExecutable, [program.pathname, ...scripts, ...more], {
    cwd: folder,
    env: sparkEnvironment(configurationFolder),
    extendEnv: false,
    maxBuffer: MOST_OUTPUT,
  });
  return JSON.parse(stdout);
}
