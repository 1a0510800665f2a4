/** The walls between the project's rooms, and that they fall when a rule is broken. */
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../../setup/environment.mjs';
import { filesThatReach, type Import, importsOf, specifiersIn } from '../../tools/walls/imports.ts';
import { FLOORS } from '../../tools/walls/rooms.ts';
import { readSources } from '../../tools/walls/source-files.ts';
import { type Floors, graphText, problemsOf, roomOf } from '../../tools/walls/walls.ts';

const sources = readSources(projectRoot);
const imports = importsOf(sources);

test('the sources of the project keep to its rooms and arrows', () => {
  expect(sources.size).toBeGreaterThan(300);
  expect(imports.length).toBeGreaterThan(1_000);
  expect(problemsOf(sources.keys(), imports, FLOORS)).toEqual([]);
});

test('an import planted in the domain is found', () => {
  const planted: Import = { from: 'domain/cost.ts', to: 'lambda/run/lease.ts' };
  expect(problemsOf(sources.keys(), [...imports, planted], FLOORS)).toEqual(
    expect.arrayContaining([
      'domain/cost.ts imports lambda/run/lease.ts: domain -> lambda/run is not allowed in tools/walls/rooms.ts',
      'domain -> lambda/run does not point downwards (domain/cost.ts imports lambda/run/lease.ts)',
      'domain -> lambda/run -> domain is a circle',
    ]),
  );
});

describe('among three rooms', () => {
  const floors: Floors = [
    [{ name: 'ground' }, { name: 'cellar' }],
    [{ name: 'shop', uses: { ground: 'the reason' } }],
    [{ name: 'roof', holds: ['shop/roof.ts'], usesAll: 'sees everything' }],
  ];
  const files = ['ground/a.ts', 'cellar/b.ts', 'shop/c.ts', 'shop/deep/d.ts', 'shop/roof.ts'];
  const allowed: Import = { from: 'shop/c.ts', to: 'ground/a.ts' };

  test('a file belongs to the room with the longest path to it', () => {
    expect(files.map((file) => roomOf(file, floors))).toEqual(['ground', 'cellar', 'shop', 'shop', 'roof']);
    expect(roomOf('shopping/e.ts', floors)).toBeUndefined();
  });

  test('what is allowed and needed is no problem', () => {
    const within = { from: 'shop/c.ts', to: 'shop/deep/d.ts' };
    const seen = { from: 'shop/roof.ts', to: 'cellar/b.ts' };
    expect(problemsOf(files, [allowed, within, seen], floors)).toEqual([]);
  });

  test.each<[string, readonly string[], readonly Import[], string]>([
    [
      'a file without a room',
      ['attic/e.ts'],
      [],
      'attic/e.ts is in no room: add its folder to tools/walls/rooms.ts',
    ],
    [
      'an arrow that is not listed',
      [],
      [{ from: 'shop/c.ts', to: 'cellar/b.ts' }],
      'shop/c.ts imports cellar/b.ts: shop -> cellar is not allowed in tools/walls/rooms.ts',
    ],
    [
      'an arrow upwards',
      [],
      [{ from: 'shop/c.ts', to: 'shop/roof.ts' }],
      'shop -> roof does not point downwards (shop/c.ts imports shop/roof.ts)',
    ],
    [
      'an arrow within a floor',
      [],
      [{ from: 'ground/a.ts', to: 'cellar/b.ts' }],
      'ground -> cellar does not point downwards (ground/a.ts imports cellar/b.ts)',
    ],
    ['a circle', [], [{ from: 'ground/a.ts', to: 'shop/c.ts' }], 'ground -> shop -> ground is a circle'],
  ])('%s is one', (_, moreFiles, moreImports, problem) => {
    expect(problemsOf([...files, ...moreFiles], [allowed, ...moreImports], floors)).toContain(problem);
  });

  test('so is an arrow that no import needs any more', () => {
    expect(problemsOf(files, [], floors)).toEqual([
      'no import needs shop -> ground: remove it from tools/walls/rooms.ts',
    ]);
  });

  test('the graph shows the top floor first, with imports and reasons', () => {
    expect(graphText([allowed, { from: 'shop/deep/d.ts', to: 'ground/a.ts' }], floors)).toBe(`Floor 2
  roof

Floor 1
  shop
      2 -> ground  the reason

Floor 0
  ground
  cellar

4 rooms on 3 floors, 1 arrows; 2 imports, 2 of them from room to room.`);
  });
});

describe('imports are read', () => {
  const [from, type, over, side, call, comment] = [
    './a.ts',
    './b.ts',
    './c.ts',
    './d.ts',
    './e.ts',
    './f.mjs',
  ];

  test('from statements, calls and JSDoc, types included', () => {
    const source = [
      `import { a } from '${from}';`,
      `export type { B } from '${type}';`,
      `import {\n  c,\n} from '${over}';`,
      `import '${side}';`,
      `const e = await import('${call}');`,
      `/** @${'import'} { F } from '${comment}' */`,
      `const text = "taken from './nowhere.ts'";`,
    ].join('\n');
    expect([...specifiersIn(source)].sort()).toEqual([from, type, over, side, call, comment]);
  });

  test('as paths from the root, packages left out', () => {
    const files = new Map([
      [
        'room/a.ts',
        `import { z } from 'zod';\nimport { b } from '../other/b.ts';\nimport rows from './rows.json';`,
      ],
      ['other/b.ts', ''],
    ]);
    expect(importsOf(files)).toEqual([
      { from: 'room/a.ts', to: 'other/b.ts' },
      { from: 'room/a.ts', to: 'room/rows.json' },
    ]);
  });

  test('and refused where the file is not there', () => {
    const files = new Map([['room/a.ts', `import { b } from '../other/b.ts';`]]);
    expect(() => importsOf(files)).toThrow(
      'room/a.ts imports ../other/b.ts, and there is no source other/b.ts',
    );
  });

  test('backwards too: who reaches a file, over others as well', () => {
    const chain = [
      { from: 'a', to: 'b' },
      { from: 'b', to: 'c' },
      { from: 'c', to: 'b' },
      { from: 'd', to: 'a' },
      { from: 'e', to: 'f' },
    ];
    expect(filesThatReach(['c'], chain)).toEqual(new Set(['c', 'b', 'a', 'd']));
  });
});
