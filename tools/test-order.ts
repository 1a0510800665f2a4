/** The order of test files: those that take long begin first, so that workers that run side by side finish together. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Take longer than other files of their kind, the longest first. Vitest knows what a file has taken only where its tests have
 * run before, and goes by the size of the files otherwise, as on a machine of CI.
 */
export const LONGEST: readonly string[] = [
  'test/emr-steps/train-models.spark.test.ts',
  'test/local/whole-run.spark.test.ts',
  'test/emr-steps/features-over-time.spark.test.ts',
  'test/emr-steps/upkeep.spark.test.ts',
  'test/emr-steps/file-versions.spark.test.ts',
  'test/emr-steps/ingest-events.spark.test.ts',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return longestFirst(await super.sort(files), ({ moduleId }) => moduleId);
  }
}

/** Those that take long, in their order, then all others as they were. @param pathOf the path of a file, of any root */
export function longestFirst<File>(files: readonly File[], pathOf: (file: File) => string): File[] {
  const placeOf = (file: File): number => {
    const place = LONGEST.findIndex((path) => pathOf(file).endsWith(path));
    return place === -1 ? LONGEST.length : place;
  };
  return files.toSorted((a, b) => placeOf(a) - placeOf(b));
}
