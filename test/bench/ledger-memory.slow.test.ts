/**
 * The memory of a start does not grow with the log: PlanRun's own code over a simulated log and ledger, in a process whose
 * heap holds neither. `node bench/ledger-memory.ts` does the same up to ten million files.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { figureSchema, NEW_FILES, SIMULATED_START } from '../../bench/simulated-start.ts';

const FILES = 200_000;
/** Building the index holds a batch and a part of it; a Lambda of 1 GiB has this heap. */
const LAMBDA_HEAP_MEBIBYTES = 768;
/** Less than the addresses of that many files take. */
const SMALL_HEAP_MEBIBYTES = 64;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ledger-memory-'));
});
afterAll(() => rm(folder, { recursive: true }));

function start(heapMebibytes: number) {
  const program = [`--max-old-space-size=${heapMebibytes}`, SIMULATED_START, folder, String(FILES)];
  return figureSchema.parse(JSON.parse(execFileSync(process.execPath, program, { encoding: 'utf8' })));
}

test('a start finds the new files of a log that is larger than its memory', () => {
  expect(start(LAMBDA_HEAP_MEBIBYTES).found).toBe(NEW_FILES);
  expect(start(SMALL_HEAP_MEBIBYTES).found).toBe(NEW_FILES);
}, 180_000);
