/**
 * How Java runs a step on this machine. Java's second compiler makes code that is twice as fast, at the price of some
 * fifteen CPU seconds a step: a small step is over before that pays, and in a large one it pays only for what is done
 * with every row. Which is which, was measured on two cores.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LEDGER } from '../../domain/lake-objects.ts';
import { runPlanSchema, type StepName } from '../../domain/run.ts';
import { jsonBytes } from '../../domain/sizing.ts';
import { UserError } from '../../domain/user-error.ts';
import { classArchives, projectRoot } from '../../setup/environment.mjs';
import { archiveOptions } from '../../setup/spark-classes.mjs';
import { filePath } from '../adapters/file-uris.ts';

/** Bytes of JSON below which the first compiler alone is quicker: to parse, and to work on what was made of it. */
const SMALL_BYTES = { parsed: 350_000_000, derived: 2_000_000_000 } as const;

/** Whether a step works on so little that the second compiler does not pay. */
export async function isSmallStep(step: StepName, planUri: string, lakeFolder: string): Promise<boolean> {
  const plan = runPlanSchema.parse(JSON.parse(await readFile(filePath(planUri), 'utf8')));
  const newBytes = jsonBytes(plan.batch.files);
  if (step === 'ingest-events') return newBytes < SMALL_BYTES.parsed;
  return newBytes + (await ledgeredBytes(lakeFolder)) < SMALL_BYTES.derived;
}

/**
 * How often a method is called, or a loop run, before the second compiler takes it: ten times Java's defaults. Planning
 * queries stays below that, handling rows is beyond it within a second. Saves a tenth of the ingest of 1.3 GB; twice
 * as much, or half, makes no difference that could be measured.
 */
const SECOND_COMPILER_THRESHOLDS = {
  Tier4InvocationThreshold: 50_000,
  Tier4MinInvocationThreshold: 6_000,
  Tier4CompileThreshold: 150_000,
  Tier4BackEdgeThreshold: 400_000,
} as const;

/**
 * What the second compiler leaves to the first: SQL is parsed, classes are generated and tasks are sent about often
 * enough to be compiled for a second each, and not often enough for that to pay.
 */
const COMPILER_DIRECTIVES = join(projectRoot, 'local', 'spark', 'compiler-directives.json');

/** Options of the step's Java, as spark-submit takes them. */
export function javaOptions(scratchFolder: string, isSmall: boolean): string {
  return [
    `"-Djava.io.tmpdir=${scratchFolder}"`,
    '-XX:+UseParallelGC',
    ...archiveOptions(classArchives).map((option) => `"${option}"`),
    ...(isSmall
      ? ['-XX:TieredStopAtLevel=1']
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
