/** Checks and tests as stages: one command each, run one after the other with its title. */
import { runProjectCommand } from './processes.mjs';

/** @import { Locations } from './environment.mjs' */

/**
 * @typedef {object} Stage
 * @property {string} title for the user
 * @property {string} command
 * @property {readonly string[]} args
 */

/**
 * The checks that read the code without running it, the same for `npm run check` and `npm test`.
 * @param {Locations} locations
 * @returns {readonly Stage[]}
 */
export const staticChecks = (locations) => [
  { title: 'types (tsc)', command: 'tsc', args: [] },
  { title: 'code (biome)', command: 'biome', args: ['check'] },
  { title: 'generated Python (ruff)', command: locations.ruffExecutable, args: ['check'] },
  {
    title: 'format of generated Python (ruff)',
    command: locations.ruffExecutable,
    args: ['format', '--check'],
  },
  { title: 'types of generated Python (mypy)', command: locations.mypyExecutable, args: [] },
];

/**
 * Runs the stages. One that fails does not keep the later ones from showing what they find; a signal ends them all.
 * @param {Locations} locations
 * @param {readonly Stage[]} stages
 * @returns {Promise<{ failed: readonly string[], interruptedBy?: number }>} the titles of the stages that failed, and
 *   the exit code of one that a signal ended
 */
export async function runStages(locations, stages) {
  /** @type {string[]} */
  const failed = [];
  for (const [index, { title, command, args }] of stages.entries()) {
    console.log(`\n[${index + 1}/${stages.length}] ${title}`);
    const exitCode = await runProjectCommand(locations, command, args);
    if (exitCode > 128) return { failed, interruptedBy: exitCode };
    if (exitCode !== 0) failed.push(title);
  }
  return { failed };
}
