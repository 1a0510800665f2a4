/** Keeps a copy of what a run executes: the definition, and each script that a state names. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { allStates, parseMachine } from '../interpreter/state-language.ts';
import type { LocalDefinition } from '../template/definition.ts';

/**
 * Copies the scripts into the run's folder, each named after its state.
 * @returns the assets of these scripts, with the copies in place of the assembly's files
 */
export async function keepScripts(
  definition: LocalDefinition,
  runFolder: string,
): Promise<ReadonlyMap<string, string>> {
  await mkdir(join(runFolder, 'scripts'), { recursive: true });
  await writeFile(join(runFolder, 'definition.json'), `${JSON.stringify(definition.states, undefined, 2)}\n`);
  const kept = new Map<string, string>();
  for (const { name, state } of allStates(parseMachine(definition.states))) {
    const text = JSON.stringify(state);
    for (const [uri, file] of definition.assets) {
      if (state.Type !== 'Task' || extname(uri) !== '.py' || !text.includes(uri)) continue;
      const copy = join(runFolder, 'scripts', `${name}.py`);
      await copyFile(file, copy);
      kept.set(uri, copy);
    }
  }
  return kept;
}
