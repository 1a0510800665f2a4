import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { locate, projectRoot } from '../../setup/environment.mjs';
import { runStages, staticChecks } from '../../setup/stages.mjs';

const locations = locate(projectRoot);
let folder: string;
let lines: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stages-'));
  lines = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => {
    lines.push(line.trim());
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

/** A stage that notes that it ran, and then does what the code says. */
const stage = (title: string, code: string) => {
  const note = `require('fs').appendFileSync(${JSON.stringify(join(folder, 'ran'))}, ${JSON.stringify(`${title} `)})`;
  return { title, command: 'node', args: ['-e', `${note}; ${code}`] };
};
const ran = () => readFileSync(join(folder, 'ran'), 'utf8').trim().split(' ');

test('a stage that fails does not keep the later ones from running', async () => {
  const stages = [stage('a', ''), stage('b', 'process.exit(3)'), stage('c', '')];
  expect(await runStages(locations, stages)).toEqual({ failed: ['b'] });
  expect(ran()).toEqual(['a', 'b', 'c']);
  expect(lines).toEqual(['[1/3] a', '[2/3] b', '[3/3] c']);
});

test('a stage that a signal ends is the last one', async () => {
  const stages = [
    stage('a', 'process.exit(1)'),
    stage('b', "process.kill(process.pid, 'SIGTERM')"),
    stage('c', ''),
  ];
  expect(await runStages(locations, stages)).toEqual({ failed: ['a'], interruptedBy: 128 + 15 });
  expect(ran()).toEqual(['a', 'b']);
});

test('types, code and generated Python are checked without running them', () => {
  const commands = staticChecks(locations).map(({ command, args }) => [command, ...args].join(' '));
  expect(commands).toEqual(
    expect.arrayContaining([
      'tsc',
      'biome check',
      `${locations.ruffExecutable} check`,
      `${locations.ruffExecutable} format --check`,
    ]),
  );
});
