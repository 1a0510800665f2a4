/**
 * `npm run generate`: refreshes the Python in emr-steps/generated, first the types and then the scripts that contain
 * them. Fails when a fragment uses a name that neither it nor its needs define.
 */
import { writeFile } from 'node:fs/promises';
import { generateTypes } from './types.ts';

const GENERATED = new URL('../generated/', import.meta.url);

for (const [name, text] of await generateTypes())
  await writeFile(new URL(`types/${name}.py`, GENERATED), text);

// The steps read the types when they are loaded.
const { STEPS } = await import('../steps.ts');
const { undeclaredNames } = await import('./fragment-checks.ts');
const steps = Object.values(STEPS);
const undeclared = await undeclaredNames(steps.map((step) => step.part));
if (undeclared.length > 0) {
  console.error(
    `Fragments lack needs or imports, or have some that they do not use:\n${undeclared.join('\n')}`,
  );
  process.exitCode = 1;
} else {
  for (const step of steps) await writeFile(new URL(step.scriptName, GENERATED), step.script);
}
