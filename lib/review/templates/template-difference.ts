/** What would be deployed differently by two revisions of the app, whatever their logical ids are. */
import { canonical } from './canonical-text.ts';
import { matchNodes, type Pair } from './matching.ts';
import {
  type Json,
  type JsonObject,
  objectOf,
  type TemplateNode,
  type Templates,
  templateGraph,
} from './template-graph.ts';

/**
 * Compares two apps after normalization of logical ids, asset hashes, Sids, descriptions, comments, metadata and names
 * made of construct paths.
 * @returns a line for each difference; none when the apps deploy the same
 */
export function templateDifference(left: Templates, right: Templates): readonly string[] {
  const pairs = matchNodes(templateGraph(left), templateGraph(right));
  const names = nameAll(pairs);
  return pairs
    .flatMap((pair) => {
      const { left: one, right: other } = pair;
      const title = titleOf(pair);
      if (one === undefined) return [`${title}: only in the second`];
      if (other === undefined) return [`${title}: only in the first`];
      const [ours, theirs] = [named(one, names.left), named(other, names.right)];
      return differences(ours, theirs, '').map((line) => `${title}${line}`);
    })
    .sort();
}

interface Names {
  readonly left: ReadonlyMap<string, string>;
  readonly right: ReadonlyMap<string, string>;
}

/** One name for both nodes of a pair: the first app's. */
function nameAll(pairs: readonly Pair[]): Names {
  const left = new Map<string, string>();
  const right = new Map<string, string>();
  for (const pair of pairs) {
    const { left: one, right: other } = pair;
    // A node without a partner must not be taken for one that happens to have its logical id.
    const name = one === undefined ? `${other?.key} of the second` : one.key;
    if (one !== undefined) left.set(one.key, name);
    if (other !== undefined) right.set(other.key, name);
  }
  return { left, right };
}

function named({ type, body, dependsOn }: TemplateNode, names: ReadonlyMap<string, string>): JsonObject {
  const nameOf = (key: string): string => `<${names.get(key) ?? key}>`;
  return {
    Type: type,
    ...objectOf(canonical(body, nameOf)),
    DependsOn: dependsOn.map(nameOf).sort(),
  };
}

function titleOf({ left, right }: Pair): string {
  const keys = [left, right].flatMap((node) => (node === undefined ? [] : [node.key]));
  return `${[...new Set(keys)].join(' = ')} (${(left ?? right)?.type})`;
}

/** Lines such as `.Properties.Name: "a" -> "b"`. */
function differences(ours: Json | undefined, theirs: Json | undefined, path: string): readonly string[] {
  const [one, other] = [JSON.stringify(ours), JSON.stringify(theirs)];
  if (one === other) return [];
  if (Array.isArray(ours) && Array.isArray(theirs)) return listDifferences(ours, theirs, path);
  const [first, second] = [objectOf(ours), objectOf(theirs)];
  const keys = [...new Set([...Object.keys(first), ...Object.keys(second)])];
  if (keys.length === 0 || Object.keys(first).length === 0 || Object.keys(second).length === 0)
    return [`${path}: ${one ?? 'nothing'} -> ${other ?? 'nothing'}`];
  return keys.flatMap((key) => differences(first[key], second[key], `${path}.${key}`));
}

/** Entry by entry where there are as many; otherwise what only one of the two has. */
function listDifferences(ours: readonly Json[], theirs: readonly Json[], path: string): readonly string[] {
  if (ours.length === theirs.length)
    return ours.flatMap((entry, index) => differences(entry, theirs[index], `${path}[${index}]`));
  const [first, second] = [
    ours.map((each) => JSON.stringify(each)),
    theirs.map((each) => JSON.stringify(each)),
  ];
  const gone = first
    .filter((entry) => !second.includes(entry))
    .map((entry) => `${path}: only in the first: ${entry}`);
  const added = second
    .filter((entry) => !first.includes(entry))
    .map((entry) => `${path}: only in the second: ${entry}`);
  const lines = [...gone, ...added];
  return lines.length > 0 ? lines : [`${path}: ${first.length} entries -> ${second.length} entries`];
}
