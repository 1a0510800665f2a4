/** Reads the project's own sources from the disk. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { globSync } from 'tinyglobby';
import type { Sources } from './imports.ts';

/** Every TypeScript and JavaScript file below the project's root; folders that begin with a dot hold none of ours. */
export function readSources(projectRoot: string): Sources {
  const files = globSync(['**/*.{ts,mjs}'], {
    cwd: projectRoot,
    ignore: ['node_modules/**', 'cdk.out*/**', 'coverage/**'],
  }).sort();
  return new Map(files.map((file) => [file, readFileSync(join(projectRoot, file), 'utf8')]));
}
