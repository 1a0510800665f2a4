/** What wheels bring that no step reads: every instance of every cluster would unpack it before it can work. */

const UNUSED: readonly RegExp[] = [
  // Tests of the packages, with their data.
  /(^|\/)tests?\//,
  // Sources and headers, for those who compile against a package.
  /\.(pyx|pxd|pxi|pyi|c|cc|cpp|h|hpp|f|f90|a)$/,
  // Arrow's network services and its own file systems: the steps read files with Spark.
  /^pyarrow\/(libarrow_flight|libarrow_python_flight|_flight\.|libarrow_s3|_s3fs\.)/,
  // Data sets for examples.
  /^sklearn\/datasets\/(data|images|descr)\//,
];

/** Names what is left out: the hash of the archive depends on it. */
export const UNUSED_FILES = UNUSED.map(({ source }) => source).join('\n');

/** @param path of a file below the folder into which the packages are installed, with `/` */
export function isUnused(path: string): boolean {
  return UNUSED.some((pattern) => pattern.test(path));
}
