/**
 * `node bench/ledger-memory.ts [files ...]`: what PlanRun needs to find the new files of a log whose files are all in the
 * ledger, but for 60,000. Log and ledger are simulated, a page at a time; the index is written to a temporary folder. Each
 * start is a process of its own, with the heap that a Lambda of 1 GiB may use. Exits with 1 if a start runs out of it, finds
 * other files than those, or if a start that finds an index needs more memory for the most files than for the fewest.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { INDEX_LIMITS } from '../lambda/start-training/file-index/file-index.ts';
import { figureSchema, NEW_FILES, SIMULATED_START } from './simulated-start.ts';

const SIZES = [100_000, 1_000_000, 10_000_000];
const HEAP_MEBIBYTES = 768;
const MEBIBYTE = 1_048_576;
/** How far two peaks of the same program may lie apart: garbage is collected when there is time. */
const SAME_PEAK = 1.5;

const sizes =
  process.argv.length > 2 ? process.argv.slice(2).map((text) => z.coerce.number().int().parse(text)) : SIZES;
console.log(
  `Batches of ${INDEX_LIMITS.recentEntries.toLocaleString('en')} files; a heap of ${HEAP_MEBIBYTES} MiB at most.\n`,
);
console.log('| files in the ledger | start | peak memory | seconds | new files |');
console.log('|---|---|---|---|---|');
const peaks: number[] = [];
for (const files of sizes) {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-memory-'));
  try {
    for (const start of ['first', 'next']) {
      const { peakBytes, seconds, found } = startIn(folder, files);
      if (found !== NEW_FILES) fail(`${found} new files were found, not ${NEW_FILES}`);
      if (start === 'next') peaks.push(peakBytes);
      const columns = [
        files.toLocaleString('en'),
        start,
        `${Math.round(peakBytes / MEBIBYTE)} MiB`,
        seconds.toFixed(1),
        found.toLocaleString('en'),
      ];
      console.log(`| ${columns.join(' | ')} |`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

if (Math.max(...peaks) > SAME_PEAK * Math.min(...peaks)) fail('memory grows with the number of files');

function fail(why: string): void {
  console.error(why);
  process.exitCode = 1;
}

function startIn(folder: string, files: number) {
  const program = [`--max-old-space-size=${HEAP_MEBIBYTES}`, SIMULATED_START, folder, String(files)];
  const output = execFileSync(process.execPath, program, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return figureSchema.parse(JSON.parse(output));
}
