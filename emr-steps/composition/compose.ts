/** From fragments to a Python file: in the order of their needs, each headed by the file that it comes from. */
import { type Fragment, inOrder } from './fragment.ts';
import { mergedImports } from './imports.ts';

/** The whole file, with its docstring. Throws when two fragments define the same name. */
export function compose(fragments: readonly Fragment[], docstring: string): string {
  const ordered = inOrder(fragments);
  refuseSharedNames(ordered);
  const parts = ordered.map((fragment, index) => {
    const goesOn = ordered[index - 1]?.file === fragment.file;
    return goesOn ? fragment.source.source : headed(fragment);
  });
  const imports = mergedImports(ordered.flatMap((fragment) => fragment.imports));
  const opening = [`"""${docstring}"""`, imports].filter((part) => part !== '').join('\n\n');
  return `${opening}\n\n${parts.join('\n\n\n')}\n`;
}

/** The blank lines are those that ruff's formatter puts between a comment and what follows. */
function headed({ file, source: { source } }: Fragment): string {
  const beginsWithDefinition = /^(?:class|def|@)/.test(source);
  return `# --- ${file} ---${beginsWithDefinition ? '\n\n\n' : '\n\n'}${source}`;
}

/** Names that a fragment defines for the whole script. */
export function definedNames(fragment: Fragment): readonly string[] {
  const outsideTexts = fragment.source.source.replaceAll(/"""[\s\S]*?"""/g, '""');
  return [...outsideTexts.matchAll(/^(?:(?:def|class) (\w+)|(\w+)(?:: [^=\n]+)? = )/gm)].map(
    ([, definition, constant]) => definition ?? constant ?? '',
  );
}

function refuseSharedNames(fragments: readonly Fragment[]): void {
  const origins = new Map<string, Fragment>();
  for (const fragment of fragments) {
    for (const name of definedNames(fragment)) {
      const other = origins.get(name);
      if (other !== undefined)
        throw new Error(`${name} is defined twice, in ${other.file} and in ${fragment.file}: rename one`);
      origins.set(name, fragment);
    }
  }
}
