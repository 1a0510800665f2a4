/**
 * Upkeep of the tables: many small files of a partition become few, and files that no snapshot names are removed. Neither
 * changes a row, and whatever reads the lineage of snapshots passes over both: docs/decisions/lake-stays-small.md.
 */
import { FEATURE_TABLES } from '../../domain/features/features-table.ts';
import { CATALOG, TABLES } from '../../domain/lake.ts';
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { icebergTables } from './jvm.ts';
import { sqlText } from './sql.ts';
import { tableName } from './table-name.ts';
import { planTypes } from './types.ts';

const MEBIBYTE = 1_048_576;

/**
 * When compaction pays, and what it makes. Spark reckons that opening a file costs as much as reading 4 MiB
 * (`spark.sql.files.openCostInBytes`): a smaller file is more work to open than to read, and than to copy once.
 */
const COMPACTION = {
  smallFileBytes: 4 * MEBIBYTE,
  /** Small files that a partition must have before they are rewritten, so that no file is copied for each that is added. */
  leastSmallFiles: 8,
  targetFileBytes: 64 * MEBIBYTE,
  /** Large files are left alone: no file of a table is larger. */
  largestFileBytes: MEBIBYTE ** 2,
} as const;

/** Files that are younger may belong to a commit that is still to come. Iceberg refuses a shorter age. */
const ORPHAN_AGE_HOURS = 24;

/** Iceberg's options of rewrite_data_files. */
const COMPACTION_OPTIONS: Readonly<Record<string, number>> = {
  'min-file-size-bytes': COMPACTION.smallFileBytes,
  'min-input-files': COMPACTION.leastSmallFiles,
  'target-file-size-bytes': COMPACTION.targetFileBytes,
  'max-file-size-bytes': COMPACTION.largestFileBytes,
};

const COMPACT = `
CALL ${CATALOG}.system.rewrite_data_files(
  table => '{table}',
  options => map(
${Object.entries(COMPACTION_OPTIONS)
  .map(([name, value]) => `    '${name}', '${value}'`)
  .join(',\n')}
  )
)`.trim();

const REMOVE_ORPHANS = `
CALL ${CATALOG}.system.remove_orphan_files(
  table => '{table}',
  older_than => TIMESTAMP '{before}'
)`.trim();

/** Every table that Spark writes: while one run has the lease and its ingest runs, nothing else writes any of them. */
const ICEBERG_TABLES = [...TABLES.filter(({ format }) => format === 'iceberg'), ...FEATURE_TABLES].map(
  ({ name }) => name,
);

export const upkeep = fragment({
  file: import.meta.url,
  needs: [planTypes, tableName, icebergTables],
  imports: [
    'import datetime',
    'import sys',
    'from typing import NamedTuple',
    'from pyspark.sql import SparkSession',
  ],
  constants: python`
    ICEBERG_TABLES = ${ICEBERG_TABLES}

    COMPACT = ${sqlText(COMPACT)}

    REMOVE_ORPHANS = ${sqlText(REMOVE_ORPHANS)}

    # Names are no patterns, and folders no partitions.
    LISTED_AS_THEY_ARE = ${{ __globPaths__: 'false', recursiveFileLookup: 'true' }}
    ORPHAN_AGE = datetime.timedelta(hours=${ORPHAN_AGE_HOURS})
  `,
  code: python`
    class Compaction(NamedTuple):
        """Small files that were rewritten, and the files that hold their rows now."""

        rewritten: int
        written: int


    def compact(spark: SparkSession, plan: Plan, tables: list[str]) -> Compaction:
        """Brings the rows of many small files of a partition into few; partitions where that does not pay stay."""
        rewritten = written = 0
        for table in tables:
            (done,) = spark.sql(COMPACT.format(table=table_name(plan, table))).collect()
            if done.rewritten_data_files_count > 0:
                print(
                    f"{table}: {done.rewritten_data_files_count} small files became {done.added_data_files_count}",
                    file=sys.stderr,
                )
            rewritten += done.rewritten_data_files_count
            written += done.added_data_files_count
        return Compaction(rewritten, written)


    def holds_files(spark: SparkSession, folder: str, before: datetime.datetime) -> bool:
        """Whether a folder or one below it has a file that is older: the driver lists them, and no job runs."""
        options = {**LISTED_AS_THEY_ARE, "modifiedBefore": before.strftime("%Y-%m-%dT%H:%M:%S")}
        return len(spark.read.format("binaryFile").options(**options).load(folder).inputFiles()) > 0


    def remove_orphans(spark: SparkSession, plan: Plan) -> int:
        """Removes files in the folders of the tables that no snapshot names and that are a day old; returns how many."""
        # By the clock of the storage, which dates the files, and not by the plan's.
        before = datetime.datetime.now(datetime.UTC) - ORPHAN_AGE
        removed = 0
        for name in ICEBERG_TABLES:
            table = table_name(plan, name)
            if not spark.catalog.tableExists(table):
                continue
            # In a young lake nothing is old enough, and what belongs to a table need not be looked for.
            if not holds_files(spark, iceberg_table(spark, table).location(), before):
                continue
            orphans = spark.sql(REMOVE_ORPHANS.format(table=table, before=before.isoformat())).collect()
            for orphan in orphans:
                print(f"{name}: removed {orphan.orphan_file_location}, which no snapshot names", file=sys.stderr)
            removed += len(orphans)
        return removed
  `,
});
