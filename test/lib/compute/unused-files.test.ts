/** What is left out of the cluster's packages is never loaded by the steps. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { STEP_NAMES } from '../../../domain/run.ts';
import { isUnused } from '../../../lib/compute/unused-files.ts';
import { environmentFolder, projectRoot } from '../../../setup/environment.mjs';

const PROGRAM = fileURLToPath(new URL('./loaded_files.py', import.meta.url));
const PYTHON = join(environmentFolder, 'python', 'bin', 'python');

/** Everything that the steps import, of which the cluster has to have the packages; Spark itself is EMR's. */
function importsOfSteps(): readonly string[] {
  const lines = STEP_NAMES.flatMap((step) =>
    readFileSync(join(projectRoot, 'emr-steps', 'generated', `${step}.py`), 'utf8').split('\n'),
  );
  return [...new Set(lines.map((line) => line.trim()).filter((line) => /^(from \S+ )?import \S/.test(line)))];
}

describe('the packages of the cluster', () => {
  test('keep every file that the steps load', () => {
    const statements = importsOfSteps();
    expect(statements).toContain('import numpy as np');
    expect(statements.join('\n')).toMatch(/from xgboost\.spark import/);
    const loaded = execFileSync(PYTHON, [PROGRAM, ...statements], {
      encoding: 'utf8',
      maxBuffer: 64 * 1_048_576,
    }).split('\n');
    for (const name of ['numpy', 'pandas', 'pyarrow', 'scipy', 'sklearn', 'xgboost'])
      expect(
        loaded.some((file) => file.startsWith(`${name}/`)),
        name,
      ).toBe(true);
    expect(loaded.filter(isUnused)).toEqual([]);
  });

  test.each([
    'scipy/stats/tests/data/nist_anova/SmLs09.dat',
    'pandas/tests/io/test_sql.py',
    'pyarrow/include/arrow/api.h',
    'pyarrow/libarrow_flight.so.2600',
    'pyarrow/_s3fs.cpython-311-aarch64-linux-gnu.so',
    'sklearn/datasets/data/iris.csv',
  ])('leave out %s', (file) => {
    expect(isUnused(file)).toBe(true);
  });

  test.each([
    'numpy/testing/__init__.py',
    'pyarrow/libarrow.so.2600',
    'sklearn/datasets/__init__.py',
    'xgboost/lib/libxgboost.so',
    'numpy-2.3.5.dist-info/licenses/LICENSE.txt',
  ])('keep %s', (file) => {
    expect(isUnused(file)).toBe(false);
  });
});
