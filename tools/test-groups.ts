/** Sorts the tests by what they need, from their names and imports, so that no list of them can fall behind. */
import { filesThatReach, importsOf, type Sources } from './walls/imports.ts';

/** Paths from the project's root. */
export interface TestGroups {
  /** Need neither Spark nor a synthesized app: `npm run check` runs them. */
  readonly unit: readonly string[];
  /** Synthesize the app: they import it, over other files too. */
  readonly synth: readonly string[];
  /** Start Spark, and end in `.spark.test.ts`. */
  readonly spark: readonly string[];
}

const APP = 'lib/app.ts';
/** Has a configuration of its own. */
const DEPLOYMENT = 'test/deploy/';

/** @param sources every source of the project, the tests among them */
export function testGroups(sources: Sources): TestGroups {
  const synthesizing = filesThatReach([APP], importsOf(sources));
  const tests = [...sources.keys()].filter(
    (file) => file.endsWith('.test.ts') && !file.startsWith(DEPLOYMENT),
  );
  const groups = { unit: [] as string[], synth: [] as string[], spark: [] as string[] };
  for (const file of tests) {
    const group = file.endsWith('.spark.test.ts') ? 'spark' : synthesizing.has(file) ? 'synth' : 'unit';
    groups[group].push(file);
  }
  return groups;
}
