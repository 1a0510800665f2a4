/** Types of the plan, the results and the error, made from their schemas by `npm run generate` and checked in. */
import { readFileSync } from 'node:fs';
import { type Fragment, fragment } from '../composition/fragment.ts';
import { Python } from '../composition/python.ts';
import type { TypesFile } from '../composition/type-schemas.ts';

export const planTypes = typesOf('plan');
export const stepErrorTypes = typesOf('step_error');
export const ingestTypes = typesOf('ingest_result');
export const featuresTypes = typesOf('features_result');
export const choiceTypes = typesOf('choice');
export const trainingTypes = typesOf('training_result');
export const scoringTypes = typesOf('scoring_result');

function typesOf(name: TypesFile): Fragment {
  const file = new URL(`../generated/types/${name}.py`, import.meta.url);
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('"""'));
  const isImport = (line: string): boolean => line.startsWith('from ') || line.startsWith('import ');
  return fragment({
    file,
    imports: lines.filter(isImport),
    code: new Python(
      lines
        .filter((line) => !isImport(line))
        .join('\n')
        .trim(),
    ),
  });
}
