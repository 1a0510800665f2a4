/**
 * How Java runs the steps on this machine. Java's second compiler generates code that is twice as fast, at a cost of about
 * fifteen CPU seconds: a small run ends before that pays off, and in a large one it pays off only for code that runs for
 * every row. The limits were measured on two cores.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LEDGER } from '../../domain/lake-objects.ts';
import { runPlanSchema } from '../../domain/run.ts';
import { jsonBytes } from '../../domain/sizing.ts';
import { UserError } from '../../domain/user-error.ts';
import { classArchives, projectRoot } from '../../setup/environment.mjs';
import { archiveOptions } from '../../setup/spark-classes.mjs';
import { filePath } from '../adapters/file-uris.ts';

/** Bytes of JSON below which the first compiler alone is faster: for parsing JSON, and for working on data derived from it. */
const SMALL_BYTES = { parsed: 350_000_000, derived: 2_000_000_000 } as const;

/** Whether a run has so little work that the second compiler does not pay off. */
export async function isSmallRun(planUri: string, lakeFolder: string): Promise<boolean> {
  const plan = runPlanSchema.parse(JSON.parse(await readFile(filePath(planUri), 'utf8')));
  const newBytes = jsonBytes(plan.batch.files);
  if (newBytes >= SMALL_BYTES.parsed) return false;
  return newBytes + (await ledgeredBytes(lakeFolder)) < SMALL_BYTES.derived;
}

/**
 * How often a method must be called or a loop run before the second compiler compiles it: ten times Java's defaults.
 * Query planning stays below these numbers, row processing exceeds them within a second. This saves a tenth of the ingest
 * of 1.3 GB; doubling or halving the numbers makes no measurable difference.
 */
const SECOND_COMPILER_THRESHOLDS = {
  Tier4InvocationThreshold: 50_000,
  Tier4MinInvocationThreshold: 6_000,
  Tier4CompileThreshold: 150_000,
  Tier4BackEdgeThreshold: 400_000,
} as const;

/**
 * Java's options for code that the first compiler alone compiles. It would keep 48 MiB for that code, which the steps of the
 * smallest log fill during training: then nothing is compiled for a while, and a call for which Java must generate code at
 * that moment ends Spark with exit code 50. 240 MiB, of address space only, is what Java keeps with both compilers.
 */
export const FIRST_COMPILER_ALONE: readonly string[] = [
  '-XX:TieredStopAtLevel=1',
  '-XX:ReservedCodeCacheSize=240m',
];

/**
 * Lists the code that the second compiler leaves to the first: parsing SQL, generating classes and sending tasks happen
 * often enough to be compiled for a second each, but not often enough for that to pay off.
 */
const COMPILER_DIRECTIVES = join(projectRoot, 'local', 'spark', 'compiler-directives.json');

/** Java options of the steps, in the form that spark-submit takes. */
export function javaOptions(scratchFolder: string, isSmall: boolean): string {
  return [
    `"-Djava.io.tmpdir=${scratchFolder}"`,
    // Spark takes the machine's own BLAS where one is installed, and each sums in another order: no library has this name.
    '-Ddev.ludovic.netlib.blas.nativeLib=none',
    '-XX:+UseParallelGC',
    // Where a thread that feeds Python runs out of memory, Spark would wait for it forever.
    '-XX:+ExitOnOutOfMemoryError',
    // Plans are deeply nested: a training of a small log fails with 384 KB and passes with 640 KB, which leaves Java's
    // default of 1 MB no wide margin.
    '-Xss4m',
    ...archiveOptions(classArchives).map((option) => `"${option}"`),
    ...(isSmall
      ? FIRST_COMPILER_ALONE
      : [
          ...Object.entries(SECOND_COMPILER_THRESHOLDS).map(([name, calls]) => `-XX:${name}=${calls}`),
          ...['-XX:+UnlockDiagnosticVMOptions', `"-XX:CompilerDirectivesFile=${COMPILER_DIRECTIVES}"`],
        ]),
  ].join(' ');
}

async function ledgeredBytes(lakeFolder: string): Promise<number> {
  const folder = join(lakeFolder, LEDGER.folder);
  const names = (await readdir(folder).catch(() => [])).filter((name) => LEDGER.idOf(name) !== undefined);
  const ledgers = await Promise.all(names.map((name) => readLedger(join(folder, name))));
  return jsonBytes(ledgers.flat());
}

async function readLedger(path: string) {
  const reading = LEDGER.format.read(await readFile(path, 'utf8'));
  if (reading.isValid) return reading.value;
  throw new UserError(`The ledger at ${path} ${reading.problem}\n${LEDGER.remedy.malformed}`);
}
