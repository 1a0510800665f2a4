/** Finds which resource of one app is which of another, although their logical ids differ. */
import { createHash } from 'node:crypto';
import { canonicalText } from './canonical-text.ts';
import { referencesIn, type TemplateNode } from './template-graph.ts';

/** Two nodes that are taken for the same; what only one app has is absent on the other side. */
export interface Pair {
  readonly left?: TemplateNode;
  readonly right?: TemplateNode;
}

type Side = 'left' | 'right';
interface Vertex {
  readonly side: Side;
  readonly node: TemplateNode;
  /** Nodes that name this one. */
  readonly namedBy: string[];
  color: string;
  paired: boolean;
}

/**
 * Pairs nodes by colors: a node's color is made of its body and of the colors of its neighbors, round after round, until
 * every color that both sides have once is paired. A pair keeps its color, so a difference does not spread from one
 * resource to those that name it. A wrong pair can only show differences that are none: equality is checked afterwards.
 */
export function matchNodes(left: readonly TemplateNode[], right: readonly TemplateNode[]): readonly Pair[] {
  const vertices = new Map([...verticesOf('left', left), ...verticesOf('right', right)]);
  for (const { side, node } of vertices.values()) {
    for (const key of neighborsOf(node)) vertices.get(`${side} ${key}`)?.namedBy.push(`${side} ${node.key}`);
  }
  const pairs: Pair[] = [];
  const pair = (one: Vertex, other: Vertex): void => {
    const color = `pair ${pairs.length}`;
    pairs.push({ left: one.node, right: other.node });
    for (const vertex of [one, other]) Object.assign(vertex, { color, paired: true });
  };
  for (let open = unpaired(vertices); open.length > 0; open = unpaired(vertices)) {
    const certain = classesOf(open).filter(({ left, right }) => left.length === 1 && right.length === 1);
    if (certain.length === 0 && refine(vertices, open)) continue;
    const chosen = certain.length > 0 ? certain : guess(open);
    if (chosen.length === 0) break;
    for (const {
      left: [one],
      right: [other],
    } of chosen) {
      if (one !== undefined && other !== undefined) pair(one, other);
    }
  }
  return [...pairs, ...unpaired(vertices).map(({ side, node }): Pair => ({ [side]: node }))];
}

function verticesOf(side: Side, nodes: readonly TemplateNode[]): [string, Vertex][] {
  return nodes.map((node) => {
    const own = hash([node.type, canonicalText(node.body, () => '')]);
    return [`${side} ${node.key}`, { side, node, namedBy: [], color: own, paired: false }];
  });
}

function neighborsOf({ body, dependsOn }: TemplateNode): readonly string[] {
  return [...new Set([...referencesIn(JSON.stringify(body)), ...dependsOn])];
}

function unpaired(vertices: ReadonlyMap<string, Vertex>): readonly Vertex[] {
  return [...vertices.values()].filter(({ paired }) => !paired);
}

interface Sides {
  readonly left: readonly Vertex[];
  readonly right: readonly Vertex[];
}

/** Vertices of one color each. */
function classesOf(vertices: readonly Vertex[]): readonly Sides[] {
  return [...Map.groupBy(vertices, ({ color }) => color).values()].map(sides);
}

function sides(vertices: readonly Vertex[]): Sides {
  const { left = [], right = [] } = Object.groupBy(vertices, ({ side }) => side);
  return { left, right };
}

/** Gives each open vertex a color that knows its neighbors'. @returns whether that made more colors */
function refine(vertices: ReadonlyMap<string, Vertex>, open: readonly Vertex[]): boolean {
  const colors = (): number => new Set(open.map(({ color }) => color)).size;
  const before = colors();
  const refined = open.map(({ side, node, namedBy, color }) => {
    const colorOf = (key: string): string => vertices.get(`${side} ${key}`)?.color ?? '';
    return hash([
      color,
      canonicalText(node.body, colorOf),
      ...node.dependsOn.map(colorOf).sort(),
      'named by',
      ...namedBy.map((key) => vertices.get(key)?.color ?? '').sort(),
    ]);
  });
  for (const [index, vertex] of open.entries()) vertex.color = refined[index] ?? vertex.color;
  return colors() > before;
}

/** One pair where none is certain, or none when one side has nothing left that could be a partner. */
function guess(open: readonly Vertex[]): readonly Sides[] {
  // Several that are alike in everything, on both sides: any of them will do.
  const alike = classesOf(open).find(({ left, right }) => left.length > 0 && left.length === right.length);
  const found = alike ?? mostAlike(open);
  return found === undefined ? [] : [found];
}

/** Of what has no equal, the two of one type that share most lines. */
function mostAlike(open: readonly Vertex[]): Sides | undefined {
  const { left, right } = sides(open);
  let best: { readonly found: Sides; readonly shared: number } | undefined;
  for (const one of left) {
    for (const other of right.filter(({ node }) => node.type === one.node.type)) {
      const shared = sharedLines(one.node, other.node);
      if (best === undefined || shared > best.shared)
        best = { found: { left: [one], right: [other] }, shared };
    }
  }
  return best?.found;
}

function sharedLines(one: TemplateNode, other: TemplateNode): number {
  const lines = ({ key, body }: TemplateNode): Set<string> =>
    new Set([
      `key: ${key.replace(/[0-9A-F]{8}$/, '')}`,
      ...canonicalText(body, () => '').split(/(?<=[,{[])/),
    ]);
  const [ours, theirs] = [lines(one), lines(other)];
  return [...ours].filter((line) => theirs.has(line)).length / Math.max(ours.size, theirs.size);
}

function hash(texts: readonly string[]): string {
  return createHash('sha256').update(texts.join('\n')).digest('hex');
}
