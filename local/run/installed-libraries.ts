/** The versions that decide what a training computes, as TrainModels records them with its model. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import { pythonExecutable } from '../../setup/environment.mjs';

const PROGRAM = `
import json, platform
import numpy, pyspark, sklearn, xgboost
print(json.dumps({
    "python": platform.python_version(),
    "spark": pyspark.__version__,
    "numpy": numpy.__version__,
    "scikit-learn": sklearn.__version__,
    "xgboost": xgboost.__version__,
}))
`;
const librariesSchema = z.record(z.string(), z.string());

/** Versions of this machine's Python and packages, by the names that a stored model has them under. */
export async function installedLibraries(): Promise<Readonly<Record<string, string>>> {
  const { stdout } = await promisify(execFile)(pythonExecutable, ['-c', PROGRAM]);
  return librariesSchema.parse(JSON.parse(stdout));
}
