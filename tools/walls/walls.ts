/**
 * The walls between rooms. A room is a set of files, named by the folders or files it holds; floors are ordered from
 * the ground up. Imports within a room are its own affair (Biome refuses circles there); from room to room they need an
 * arrow, and arrows point downwards.
 */
import type { Import } from './imports.ts';

export interface Room {
  readonly name: string;
  /** Folders and files; a file belongs to the room with the longest path to it. By default the folder of its name. */
  readonly holds?: readonly string[];
  /** What each room that it imports is needed for, by the room's name. */
  readonly uses?: Readonly<Record<string, string>>;
  /** Why it may import every room below it. */
  readonly usesAll?: string;
}

/** Rooms by floor, the ground first. */
export type Floors = readonly (readonly Room[])[];

/** All imports from one room to another. */
export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly imports: readonly Import[];
}

/** The name of the room that holds a file, or undefined where none does. */
export function roomOf(file: string, floors: Floors): string | undefined {
  let name: string | undefined;
  let longest = 0;
  for (const room of floors.flat()) {
    for (const path of room.holds ?? [room.name]) {
      if (path.length > longest && (file === path || file.startsWith(`${path}/`))) {
        name = room.name;
        longest = path.length;
      }
    }
  }
  return name;
}

/** The arrows that the imports make, in the order of floors and names. Files without a room are left out. */
export function arrowsOf(imports: readonly Import[], floors: Floors): readonly Arrow[] {
  const order = floors.flat().map(({ name }) => name);
  const byPair = Map.groupBy(imports, ({ from, to }) => `${roomOf(from, floors)}\n${roomOf(to, floors)}`);
  return [...byPair]
    .map(([pair, between]) => {
      const [from = '', to = ''] = pair.split('\n');
      return { from, to, imports: between };
    })
    .filter(({ from, to }) => from !== to && order.includes(from) && order.includes(to))
    .sort(
      (a, b) => order.indexOf(a.from) - order.indexOf(b.from) || order.indexOf(a.to) - order.indexOf(b.to),
    );
}

/**
 * What is wrong, a sentence each: a file without a room, an import without an arrow, an arrow that no import needs, an
 * arrow that does not point downwards, rooms that import each other in a circle.
 * @param files every source of the project
 */
export function problemsOf(
  files: Iterable<string>,
  imports: readonly Import[],
  floors: Floors,
): readonly string[] {
  const arrows = arrowsOf(imports, floors);
  return [
    ...withoutRoom(files, floors),
    ...arrows.flatMap((arrow) => withoutPermission(arrow, floors)),
    ...withoutNeed(arrows, floors),
    ...arrows.flatMap((arrow) => upward(arrow, floors)),
    ...circlesIn(arrows).map((circle) => `${circle.join(' -> ')} is a circle`),
  ];
}

function withoutRoom(files: Iterable<string>, floors: Floors): readonly string[] {
  return [...files]
    .filter((file) => roomOf(file, floors) === undefined)
    .map((file) => `${file} is in no room: add its folder to tools/walls/rooms.ts`);
}

function withoutPermission({ from, to, imports }: Arrow, floors: Floors): readonly string[] {
  if (reasonFor(from, to, floors) !== undefined) return [];
  return imports.map(
    (each) => `${each.from} imports ${each.to}: ${from} -> ${to} is not allowed in tools/walls/rooms.ts`,
  );
}

function withoutNeed(arrows: readonly Arrow[], floors: Floors): readonly string[] {
  return floors.flat().flatMap(({ name, uses }) =>
    Object.keys(uses ?? {})
      .filter((to) => !arrows.some((arrow) => arrow.from === name && arrow.to === to))
      .map((to) => `no import needs ${name} -> ${to}: remove it from tools/walls/rooms.ts`),
  );
}

function upward({ from, to, imports }: Arrow, floors: Floors): readonly string[] {
  if (floorOf(to, floors) < floorOf(from, floors)) return [];
  const [example] = imports;
  return [`${from} -> ${to} does not point downwards (${example?.from} imports ${example?.to})`];
}

/** Every circle among the rooms, one for each arrow that closes one; each begins and ends with the same room. */
export function circlesIn(arrows: readonly Arrow[]): readonly (readonly string[])[] {
  const circles: string[][] = [];
  const done = new Set<string>();
  const visit = (room: string, way: readonly string[]): void => {
    const at = way.indexOf(room);
    if (at >= 0) circles.push([...way.slice(at), room]);
    if (at >= 0 || done.has(room)) return;
    for (const { from, to } of arrows) if (from === room) visit(to, [...way, room]);
    done.add(room);
  };
  for (const { from } of arrows) visit(from, []);
  return circles;
}

/** The graph as text, the top floor first: for each room its arrows, with the number of imports and the reason. */
export function graphText(imports: readonly Import[], floors: Floors): string {
  const arrows = arrowsOf(imports, floors);
  const width = Math.max(...floors.flat().map(({ name }) => name.length));
  const arrowLine = ({ from, to, imports: { length } }: Arrow): string =>
    `  ${String(length).padStart(5)} -> ${to.padEnd(width)}  ${reasonFor(from, to, floors) ?? 'NOT ALLOWED'}`;
  const roomLines = ({ name }: Room): readonly string[] => [
    `  ${name}`,
    ...arrows.filter(({ from }) => from === name).map(arrowLine),
  ];
  const blocks = floors.map((rooms, floor) => [`Floor ${floor}`, ...rooms.flatMap(roomLines)].join('\n'));
  const crossing = arrows.reduce((sum, arrow) => sum + arrow.imports.length, 0);
  const figures = `${floors.flat().length} rooms on ${floors.length} floors, ${arrows.length} arrows; \
${imports.length} imports, ${crossing} of them from room to room.`;
  return [...blocks.reverse(), figures].join('\n\n');
}

function reasonFor(from: string, to: string, floors: Floors): string | undefined {
  const room = floors.flat().find(({ name }) => name === from);
  return room?.usesAll ?? room?.uses?.[to];
}

const floorOf = (name: string, floors: Floors): number =>
  floors.findIndex((rooms) => rooms.some((room) => room.name === name));
