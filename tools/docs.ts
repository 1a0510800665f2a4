/** `npm run docs`: writes the pages in docs/reference from the code that they describe. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../setup/environment.mjs';
import { DOCUMENTS, REFERENCE_FOLDER } from './docs/documents.ts';

const folder = join(projectRoot, REFERENCE_FOLDER);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries(DOCUMENTS)) {
  writeFileSync(join(folder, name), text());
  console.log(`${REFERENCE_FOLDER}/${name}`);
}
