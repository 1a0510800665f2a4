/** Which files import which: read from the sources' text, so that types and JSDoc imports count like any other. */
import { posix } from 'node:path';

/** One relative import: both are paths from the project's root, with forward slashes. */
export interface Import {
  readonly from: string;
  readonly to: string;
}

/** Sources by path from the project's root. */
export type Sources = ReadonlyMap<string, string>;

/** A statement at the start of a line (over several lines too), `import(...)`, and JSDoc's `@import`. */
const SPECIFIERS = [
  /^[ \t]*(?:import|export)\b[^;'"`]*?\bfrom\s*'([^']+)'/gm,
  /^[ \t]*import\s*'([^']+)'/gm,
  /\bimport\(\s*'([^']+)'/g,
  /@import\b[^;'"`]*?\bfrom\s*'([^']+)'/g,
];

/** What the source imports, as it is written there: `../domain/run.ts`, `zod`, `node:fs`. */
export function specifiersIn(source: string): readonly string[] {
  return SPECIFIERS.flatMap((pattern) =>
    [...source.matchAll(pattern)].map(([, specifier = '']) => specifier),
  );
}

/**
 * Every relative import of the sources; one that stands twice in a file counts twice.
 * @throws where a source imports a file that is not among them
 */
export function importsOf(sources: Sources): readonly Import[] {
  return [...sources].flatMap(([from, source]) =>
    specifiersIn(source)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => {
        const to = posix.join(posix.dirname(from), specifier);
        if (!sources.has(to) && !to.endsWith('.json')) {
          throw new Error(`${from} imports ${specifier}, and there is no source ${to}`);
        }
        return { from, to };
      }),
  );
}

/** The files from which one of `targets` is reached, by one import or over others; the targets are among them. */
export function filesThatReach(targets: readonly string[], imports: readonly Import[]): ReadonlySet<string> {
  const importers = Map.groupBy(imports, ({ to }) => to);
  const reached = new Set(targets);
  for (const file of reached) for (const { from } of importers.get(file) ?? []) reached.add(from);
  return reached;
}
