/** A fragment: one part of the generated scripts, which says what it needs. */
import { Python } from './python.ts';

/** What a fragment is made of. */
export interface FragmentDefinition {
  /** `import.meta.url` of the file that defines it; the script names it above the fragment. */
  readonly file: string | URL;
  /** Fragments whose names it uses. They are objects, so one that does not exist is an error of the compiler. */
  readonly needs?: readonly Fragment[];
  /** Imports whose names it uses, each as Python writes it: `from pyspark.sql import DataFrame`. */
  readonly imports?: readonly string[];
  /** Constants, above its functions. */
  readonly constants?: Python;
  /** Classes and functions, two blank lines between them. */
  readonly code?: Python;
}

/** A fragment, ready to be composed. */
export interface Fragment {
  /** Path of the file that defines it, from the root of the project. */
  readonly file: string;
  readonly needs: readonly Fragment[];
  readonly imports: readonly string[];
  /** Constants, then code. */
  readonly source: Python;
}

const PROJECT_ROOT = new URL('../../', import.meta.url).href;

/** Completes a definition. Fragments can only need what was made before them, so they never need each other. */
export function fragment(definition: FragmentDefinition): Fragment {
  const { file, needs = [], imports = [], constants, code } = definition;
  const { href } = new URL(file);
  if (!href.startsWith(PROJECT_ROOT)) throw new Error(`${href} is not a file of this project`);
  const parts = [constants, code].filter((part) => part !== undefined);
  return {
    file: decodeURIComponent(href.slice(PROJECT_ROOT.length)),
    needs,
    imports,
    source: new Python(parts.map((part) => part.source).join('\n\n\n')),
  };
}

/**
 * The fragments and all that they need, each once and after what it needs; those of one file together where their
 * needs allow it.
 */
export function inOrder(fragments: readonly Fragment[]): readonly Fragment[] {
  const ordered: Fragment[] = [];
  const add = (one: Fragment): void => {
    if (ordered.includes(one)) return;
    one.needs.forEach(add);
    const neighbour = ordered.findLastIndex(({ file }) => file === one.file);
    const earliest = Math.max(-1, ...one.needs.map((need) => ordered.indexOf(need))) + 1;
    const joins = neighbour >= 0 && earliest <= neighbour + 1;
    ordered.splice(joins ? neighbour + 1 : ordered.length, 0, one);
  };
  fragments.forEach(add);
  return ordered;
}
