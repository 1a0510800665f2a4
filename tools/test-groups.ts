/** Sorts the tests by what they need, from their names and imports, so that no list of them can fall behind. */
import { filesThatReach, type Import, importsOf, type Sources } from './walls/imports.ts';

/** Paths from the project's root. */
export interface TestGroups {
  /** Need neither Spark nor the synthesized app, and are quick: `npm run check` runs them. */
  readonly unit: readonly string[];
  /**
   * Load the app, most of them to synthesize it: they import it, over other files too, or start a program that does. Or
   * run a generated script in Python, by a program beside them. Or take long for another reason, and end in
   * `.slow.test.ts`.
   */
  readonly slow: readonly string[];
  /** Start Spark, and end in `.spark.test.ts`. */
  readonly spark: readonly string[];
}

const APP = 'lib/app.ts';
/** Tests start these in a process of its own, by this path. */
const PROGRAM = /^bin\/[^/]+\.ts$/;
/** A test names the Python program beside it like this. */
const PYTHON_PROGRAM = /'\.\/\w+\.py'/;
/** Have configurations of their own: the deployment to an emulator, the notebook, the rehearsal of the cluster, long proofs. */
const ELSEWHERE = /^test\/(deploy|notebook)\/|\.(cluster|proof)\.test\.ts$/;

/** @param sources every source of the project, the tests among them */
export function testGroups(sources: Sources): TestGroups {
  const tests = [...sources.keys()].filter((file) => file.endsWith('.test.ts') && !ELSEWHERE.test(file));
  const loadApp = filesThatReach([APP], [...importsOf(sources), ...startsOf(tests, sources)]);
  const runPython = new Set(tests.filter((file) => PYTHON_PROGRAM.test(sources.get(file) ?? '')));
  const isSlow = (file: string): boolean =>
    file.endsWith('.slow.test.ts') || loadApp.has(file) || runPython.has(file);
  const groups = { unit: [] as string[], slow: [] as string[], spark: [] as string[] };
  for (const file of tests) {
    if (file.endsWith('.spark.test.ts')) groups.spark.push(file);
    else groups[isSlow(file) ? 'slow' : 'unit'].push(file);
  }
  return groups;
}

/** The programs that tests start, as if they imported them. */
function startsOf(tests: readonly string[], sources: Sources): readonly Import[] {
  const programs = [...sources.keys()].filter((file) => PROGRAM.test(file));
  return tests.flatMap((from) =>
    programs.filter((program) => sources.get(from)?.includes(`'${program}'`)).map((to) => ({ from, to })),
  );
}
