/** Synthesizes the app as `cdk synth` would, without bundling assets that are only uploaded, and reads its definition. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildApp } from '../../lib/app.ts';
import { projectRoot } from '../../setup/environment.mjs';
import { type LocalDefinition, readDefinition } from './definition.ts';

/** Passes the definition to `use`; the assembly with its asset files exists until `use` has finished. */
export async function withDefinition<Result>(
  use: (definition: LocalDefinition) => Promise<Result>,
): Promise<Result> {
  // Inside the project, so that asset hashes are the same everywhere.
  const assemblies = join(projectRoot, 'cdk.out');
  mkdirSync(assemblies, { recursive: true });
  const outdir = mkdtempSync(join(assemblies, 'local-'));
  const remove = (): void => rmSync(outdir, { recursive: true, force: true });
  // Also if the process is interrupted.
  process.once('exit', remove);
  try {
    buildApp({ bundle: false, outdir }).app.synth();
    return await use(readDefinition(outdir));
  } finally {
    process.off('exit', remove);
    remove();
  }
}
