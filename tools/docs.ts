/**
 * `npm run docs`: writes the pages that are derived from code: those in docs/reference, docs/states.md, and the picture of
 * the states in README.md.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseMachine } from '../local/interpreter/state-language.ts';
import { withDefinition } from '../local/template/synthesize.ts';
import { projectRoot } from '../setup/environment.mjs';
import { DOCUMENTS, REFERENCE_FOLDER } from './docs/documents.ts';
import { statesDocument, withPicture } from './docs/states.ts';

const write = (name: string, text: string): void => {
  writeFileSync(join(projectRoot, name), text);
  console.log(name);
};

const folder = join(projectRoot, REFERENCE_FOLDER);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries(DOCUMENTS)) {
  write(`${REFERENCE_FOLDER}/${name}`, text());
}
await withDefinition(async ({ states }) => {
  const machine = parseMachine(states);
  write('docs/states.md', statesDocument(machine));
  write('README.md', withPicture(readFileSync(join(projectRoot, 'README.md'), 'utf8'), machine));
});
