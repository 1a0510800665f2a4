/** Sorts the tests by what they need, from their names and imports, so that no list of them can fall behind. */
import { filesThatReach, type Import, importsOf, type Sources } from './walls/imports.ts';

/** Paths from the project's root. */
export interface TestGroups {
  /** Need neither Spark nor the synthesized app, and are quick: `npm run check` runs them. */
  readonly unit: readonly string[];
  /**
   * Import the app, over other files too, most of them to synthesize it. They replace no module, so that a process that runs
   * several of them may load the CDK, and synthesize the app, once.
   */
  readonly app: readonly string[];
  /**
   * Start a program that loads the app, or load it beside modules that they replace. Or run a generated script in Python, by
   * a program beside them. Or take long for another reason, and end in `.slow.test.ts`.
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
/** A test replaces a module for all that its process loads after it. */
const REPLACES = /\bvi\.mock\(/;
/** Have configurations of their own: the deployment to an emulator, the notebook, the rehearsal of the cluster, long proofs. */
const ELSEWHERE = /^test\/(deploy|notebook)\/|\.(cluster|proof)\.test\.ts$/;

/** @param sources every source of the project, the tests among them */
export function testGroups(sources: Sources): TestGroups {
  const tests = [...sources.keys()].filter((file) => file.endsWith('.test.ts') && !ELSEWHERE.test(file));
  const imports = importsOf(sources);
  const importApp = filesThatReach([APP], imports);
  const loadApp = filesThatReach([APP], [...imports, ...startsOf(tests, sources)]);
  const matching = (pattern: RegExp): ReadonlySet<string> =>
    new Set(tests.filter((file) => pattern.test(sources.get(file) ?? '')));
  const [runPython, replace] = [matching(PYTHON_PROGRAM), matching(REPLACES)];
  const groupOf = (file: string): keyof TestGroups => {
    if (file.endsWith('.spark.test.ts')) return 'spark';
    if (file.endsWith('.slow.test.ts') || runPython.has(file)) return 'slow';
    if (importApp.has(file) && !replace.has(file)) return 'app';
    return loadApp.has(file) ? 'slow' : 'unit';
  };
  const groups = { unit: [] as string[], app: [] as string[], slow: [] as string[], spark: [] as string[] };
  for (const file of tests) groups[groupOf(file)].push(file);
  return groups;
}

/** The programs that tests start, as if they imported them. */
function startsOf(tests: readonly string[], sources: Sources): readonly Import[] {
  const programs = [...sources.keys()].filter((file) => PROGRAM.test(file));
  return tests.flatMap((from) =>
    programs.filter((program) => sources.get(from)?.includes(`'${program}'`)).map((to) => ({ from, to })),
  );
}
