/** Sorts the tests by what they need, from their names and imports, so that no list of them can fall behind. */
import { filesThatReach, type Import, importsOf, type Sources } from './walls/imports.ts';

/** Paths from the project's root. */
export interface TestGroups {
  /** Need neither Spark nor a synthesized app: `npm run check` runs them. */
  readonly unit: readonly string[];
  /** Synthesize the app, or at least load it: they import it, over other files too, or start a program that does. */
  readonly synth: readonly string[];
  /** Start Spark, and end in `.spark.test.ts`. */
  readonly spark: readonly string[];
}

const APP = 'lib/app.ts';
/** Tests start these in a process of its own, by this path. */
const PROGRAM = /^bin\/[^/]+\.ts$/;
/** Have configurations of their own: the deployment to an emulator, and the rehearsal of the cluster. */
const ELSEWHERE = /^test\/deploy\/|\.cluster\.test\.ts$/;

/** @param sources every source of the project, the tests among them */
export function testGroups(sources: Sources): TestGroups {
  const tests = [...sources.keys()].filter((file) => file.endsWith('.test.ts') && !ELSEWHERE.test(file));
  const synthesizing = filesThatReach([APP], [...importsOf(sources), ...startsOf(tests, sources)]);
  const groups = { unit: [] as string[], synth: [] as string[], spark: [] as string[] };
  for (const file of tests) {
    const group = file.endsWith('.spark.test.ts') ? 'spark' : synthesizing.has(file) ? 'synth' : 'unit';
    groups[group].push(file);
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
