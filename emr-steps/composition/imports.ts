/** The imports of a script, as ruff sorts them. */

/** Packages outside the standard library: their imports form the second block. */
const THIRD_PARTY: readonly string[] = ['numpy', 'pandas', 'py4j', 'pyspark', 'scipy', 'sklearn', 'xgboost'];

const IMPORT = /^(?:import ([\w.]+)(?: as \w+)?|from ([\w.]+) import (\w+ as \w+|\w+(?:, \w+)*))$/;

/** The lines of the imports, merged: the standard library, a blank line, then third parties. Throws on any other text. */
export function mergedImports(imports: readonly string[]): string {
  const own: string[] = [];
  const names = new Map<string, Set<string>>();
  for (const line of new Set(imports)) {
    const [, , module, imported] = IMPORT.exec(line) ?? [];
    if (!IMPORT.test(line)) throw new Error(`"${line}" is not an import that can be merged`);
    if (module === undefined || imported === undefined || imported.includes(' as ')) own.push(line);
    else names.set(module, new Set([...(names.get(module) ?? []), ...imported.split(', ')]));
  }
  const merged = [...names].map(
    ([module, all]) => `from ${module} import ${[...all].sort(byNameKind).join(', ')}`,
  );
  const lines = [...own, ...merged].sort(plainImportsFirst);
  const blocks = [lines.filter((line) => !isThirdParty(line)), lines.filter(isThirdParty)];
  return blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n');
}

function isThirdParty(line: string): boolean {
  const [, plain, from] = IMPORT.exec(line) ?? [];
  const [root] = (plain ?? from ?? '').split('.');
  return root !== undefined && THIRD_PARTY.includes(root);
}

/** `import x` before `from x import y`; a module's names under another name come after its own. */
function plainImportsFirst(a: string, b: string): number {
  const key = (line: string): string => (line.startsWith('import ') ? `0 ${line}` : `1 ${line}`);
  return key(a) < key(b) ? -1 : 1;
}

/** Constants, then classes, then functions, each in alphabetical order. */
function byNameKind(a: string, b: string): number {
  const rank = (name: string): number => (name === name.toUpperCase() ? 0 : /^[A-Z]/.test(name) ? 1 : 2);
  return rank(a) - rank(b) || (a < b ? -1 : 1);
}
