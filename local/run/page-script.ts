/** The report's script, bundled on this machine as the deployment bundles it. */
import { join } from 'node:path';
import { build } from 'esbuild';
import { PAGE_SCRIPT } from '../../domain/operations.ts';
import type { PageScript } from '../../lambda/render-report/page-script.ts';
import { projectRoot } from '../../setup/environment.mjs';

let built: Promise<string> | undefined;

/** Bundles the script once a process. */
export const localPageScript: PageScript = () => {
  built ??= bundle();
  return built;
};

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(projectRoot, PAGE_SCRIPT.source)],
    bundle: true,
    alias: Object.fromEntries(
      PAGE_SCRIPT.absent.packages.map((name) => [name, join(projectRoot, PAGE_SCRIPT.absent.source)]),
    ),
    minify: true,
    format: 'iife',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
    write: false,
    logLevel: 'silent',
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error(`${PAGE_SCRIPT.source} was bundled to nothing`);
  return file.text;
}
