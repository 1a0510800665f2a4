/** Keeps a copy of what a run executes: the definition, and each script that a state names. */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { z } from 'zod';
import type { StepStateName } from '../../domain/states.ts';
import { sparkDefaultsOf } from '../handlers/elasticmapreduce.ts';
import { allStates, parseMachine, resourceKind } from '../interpreter/state-language.ts';
import type { LocalDefinition } from '../template/definition.ts';

const CREATE_CLUSTER = 'elasticmapreduce:createCluster.sync';

/**
 * Copies the scripts into the run's folder, each named after its state.
 * @returns the assets of these scripts, with the copies in place of the assembly's files
 */
export async function keepScripts(
  definition: LocalDefinition,
  runFolder: string,
): Promise<ReadonlyMap<string, string>> {
  await mkdir(join(runFolder, 'scripts'), { recursive: true });
  await writeFile(definitionFile(runFolder), `${JSON.stringify(definition.states, undefined, 2)}\n`);
  const kept = new Map<string, string>();
  for (const { name, state } of allStates(parseMachine(definition.states))) {
    const text = JSON.stringify(state);
    for (const [uri, file] of definition.assets) {
      if (state.Type !== 'Task' || extname(uri) !== '.py' || !text.includes(uri)) continue;
      const copy = scriptFile(runFolder, name);
      await copyFile(file, copy);
      kept.set(uri, copy);
    }
  }
  return kept;
}

/** What a run executed in one of its steps: the script, and Spark's settings of its cluster. */
export interface KeptStep {
  readonly script: string;
  readonly sparkDefaults: Readonly<Record<string, string>>;
}

/** The kept copy of a step of a run; undefined where none was kept. */
export async function keptStep(runFolder: string, state: StepStateName): Promise<KeptStep | undefined> {
  const script = scriptFile(runFolder, state);
  if (!existsSync(script) || !existsSync(definitionFile(runFolder))) return undefined;
  const definition = z.json().parse(JSON.parse(await readFile(definitionFile(runFolder), 'utf8')));
  const created = allStates(parseMachine(definition)).find(
    ({ state: { Resource: resource } }) =>
      resource !== undefined && resourceKind(resource) === CREATE_CLUSTER,
  );
  return { script, sparkDefaults: sparkDefaultsOf(created?.state.Parameters ?? {}) };
}

function definitionFile(runFolder: string): string {
  return join(runFolder, 'definition.json');
}

function scriptFile(runFolder: string, stateName: string): string {
  return join(runFolder, 'scripts', `${stateName}.py`);
}
