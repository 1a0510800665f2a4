/** Synthesizes the app as `cdk synth` would, without bundling what is only uploaded, and reads its definition. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildApp } from '../../lib/app.ts';
import { projectRoot } from '../../setup/environment.mjs';
import { type LocalDefinition, readDefinition } from './definition.ts';

/** Gives `use` the definition; the assembly with its asset files lasts for as long as that takes. */
export async function withDefinition<Result>(
  use: (definition: LocalDefinition) => Promise<Result>,
): Promise<Result> {
  // Inside the project, where asset hashes are the same for everybody.
  const assemblies = join(projectRoot, 'cdk.out');
  mkdirSync(assemblies, { recursive: true });
  const outdir = mkdtempSync(join(assemblies, 'local-'));
  const remove = (): void => rmSync(outdir, { recursive: true, force: true });
  // Also when the process is interrupted.
  process.once('exit', remove);
  try {
    buildApp({ bundle: false, outdir }).app.synth();
    return await use(readDefinition(outdir));
  } finally {
    process.off('exit', remove);
    remove();
  }
}
