/** `npm run graph`: prints which room imports which, floor by floor, and what breaks the rules of tools/walls. */
import { projectRoot } from '../setup/environment.mjs';
import { importsOf } from './walls/imports.ts';
import { FLOORS } from './walls/rooms.ts';
import { readSources } from './walls/source-files.ts';
import { graphText, problemsOf } from './walls/walls.ts';

const sources = readSources(projectRoot);
const imports = importsOf(sources);
const problems = problemsOf(sources.keys(), imports, FLOORS);
console.log(graphText(imports, FLOORS));
console.log(
  problems.length === 0
    ? 'No circle, no arrow upwards, no import without an arrow, no arrow without an import.'
    : problems.map((problem) => `! ${problem}`).join('\n'),
);
process.exitCode = problems.length === 0 ? 0 : 1;
